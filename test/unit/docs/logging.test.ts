/** docs/logging.md: its events are in the sources, its examples are what is written, its recipes are taken. */
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { plainLine } from '../../../src/cli/log-form.ts';
import { until } from '../../support/sockets-rig.ts';
import { readProjectFile, sourceFiles } from '../../support/source-files.ts';

const test = suite('logging page');
const page = readProjectFile('docs/logging.md');

const section = (title: string) => page.split(/^## /m).find((part) => part.startsWith(`${title}\n`)) ?? '';
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}(?: .*)?\n([^]*?)^\`\`\`$`, 'gm'))].map(
    ([, text]) => text as string,
  );

/** Source text with what stands for a value taken out, and texts that go on in the next line joined. */
const sources = sourceFiles('src')
  .map(({ text }) => text.replace(/['`] \+\n\s+['`]/g, '').replace(/\$\{[^}]*\}/g, '…'))
  .join('\n');

test('every event of the page can be written', () => {
  const rows = [...section('Events').matchAll(/^\| ((?:info|warn|error)[^|]*) \| ([^|]*) \|/gm)];
  assert.ok(rows.length > 30, 'the table was found');
  const messages = rows.flatMap(([, , cell]) =>
    [...(cell ?? '').matchAll(/`([^`]+)`/g)].map(([, text]) => text ?? ''),
  );
  const missing = messages.filter((message) => {
    // Topics and groups share their sentences, and so do producers and consumers.
    const pieces = message
      .replace(/^(topic|group) (made|changed|deleted)$/, '$1 …')
      .replace(/^consumer (group o\w+line: …)$/, '… $1')
      .replace(/^the (broker|name server) (listens on …)$/, '… $2')
      .replace(/^(sends refused: ).+$/, '$1…')
      .replace(/^finding room for the CommitLog (has to wait: …)$/, '… $1')
      .split('…')
      .map((piece) => piece.trim())
      .filter((piece) => piece.length > 3);
    return !pieces.every((piece) => sources.includes(piece));
  });
  assert.equal(missing, []);
  for (const sentence of messages.filter((text) => /^sends refused: t/.test(text))) {
    assert.ok(sources.includes(sentence.replace('sends refused: ', '')), sentence);
  }
});

test('the JSON examples are what is written', () => {
  const examples = blocks('json').filter((text) => text.includes('"msg"'));
  assert.is(examples.length, 2);
  for (const example of examples) {
    const { level, time, pid, msg, ...fields } = JSON.parse(example);
    const written = JSON.parse(plainLine({ level, time: Date.parse(time), fields, message: msg }));
    assert.equal(Object.keys(written), Object.keys(JSON.parse(example)));
    assert.equal({ ...written, pid }, JSON.parse(example));
  }
});

test('the recipe for docker is what its daemon reads', () => {
  const { 'log-driver': driver, 'log-opts': options } = JSON.parse(blocks('json').at(-1) ?? '');
  assert.is(driver, 'local');
  assert.ok(Object.values(options).every((value) => typeof value === 'string'));
});

const knows = (program: string) => spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;

test('the keys of the recipe for journald are known to it', () => {
  const keys = [...(blocks('ini')[0] ?? '').matchAll(/^(\w+)=/gm)].map(([, key]) => key);
  assert.equal(keys, ['SystemMaxUse', 'MaxRetentionSec']);
  const paths = ['/lib/systemd/systemd-journald', '/usr/lib/systemd/systemd-journald'];
  const binary = paths
    .map((path) => spawnSync('cat', [path], { maxBuffer: 1 << 28 }).stdout)
    .find((text) => text.length);
  for (const key of binary === undefined ? [] : keys) {
    assert.ok(binary?.includes(`Journal.${key}`) || binary?.includes(key ?? ''), key);
  }
});

// Not every machine has it.
const withLogrotate = knows('logrotate') ? test : test.skip;

withLogrotate(
  'logrotate takes the recipe, and of a log that is written meanwhile no line is lost or torn',
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'ringmq-rotate-'));
    const log = join(directory, 'ringmq.log');
    const conf = join(directory, 'recipe');
    // It trusts neither files nor directories that others may write.
    chmodSync(directory, 0o755);
    writeFileSync(conf, (blocks('logrotate')[0] ?? '').replace('/var/log/ringmq/*.log', log), {
      mode: 0o644,
    });
    const module = new URL('../../../src/cli/logger.js', import.meta.url).href;
    const script = `
    const { createLogger } = await import('${module}');
    const log = createLogger();
    for (let i = 0; ; i++) {
      log.warn({ i }, 'line');
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  `;
    const writer = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, RINGMQ_LOG_LEVEL: 'info', RINGMQ_LOG_FILE: log },
    });
    const ended = new Promise((resolve) => writer.once('exit', resolve));
    try {
      await until('lines are written', () => existsSync(log) && readFileSync(log).length > 2_000);
      const dry = spawnSync('logrotate', ['-d', conf], { encoding: 'utf8' });
      assert.is(dry.status, 0, dry.stderr);
      assert.not.match(dry.stderr, /error/);
      const rotated = spawnSync('logrotate', ['-f', '-s', join(directory, 'state'), conf], {
        encoding: 'utf8',
      });
      assert.is(rotated.status, 0, rotated.stderr);
      assert.ok(readdirSync(directory).includes('ringmq.log.1'));
      await until('it goes on', () => readFileSync(log).length > 2_000);
    } finally {
      writer.kill();
      await ended;
    }
    const lines = [`${log}.1`, log].flatMap((path) => readFileSync(path, 'utf8').trimEnd().split('\n'));
    assert.equal(
      lines.map((line) => JSON.parse(line).i),
      lines.map((_, i) => i),
    );
    rmSync(directory, { recursive: true });
  },
);

test.run();
