/** The log of a process: its two forms, when a line is written, and what becomes of it when stderr does not take it. */
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openForm } from '../../../src/cli/log-form.ts';
import { createLogger, type LoggerParts } from '../../../src/cli/logger.ts';
import { StderrLines } from '../../../src/cli/stderr-lines.ts';
import { UserError } from '../../../src/lib/user-error.ts';

const test = suite('logger');

const NOON = Date.UTC(2026, 10, 26, 12, 0, 0, 7);
const ESCAPE = String.fromCharCode(27);

function rig(changes: Partial<LoggerParts> = {}) {
  const written: string[] = [];
  const state = { now: NOON, takes: true, loads: 0 };
  const log = createLogger({
    env: {},
    isTerminal: false,
    now: () => state.now,
    write: (text) => {
      if (state.takes) written.push(text);
      return state.takes;
    },
    openForm: (form, write) => {
      state.loads += 1;
      return openForm(form, write);
    },
    atExit: () => {},
    ...changes,
  });
  return { log, written, state };
}

test('for programs a line is JSON: level by name, time in UTC, the fields, the message', () => {
  const { log, written } = rig();
  log.warn({ topic: 'orders', count: 3, err: new Error('inner') }, 'something odd');
  assert.is(written.length, 1);
  assert.is(written[0]?.indexOf('\n'), (written[0]?.length ?? 0) - 1);
  const { err, ...line } = JSON.parse(written[0] ?? '');
  assert.equal(line, {
    level: 'warn',
    time: '2026-11-26T12:00:00.007Z',
    pid: process.pid,
    topic: 'orders',
    count: 3,
    msg: 'something odd',
  });
  assert.is(err.message, 'inner');
  assert.match(err.stack, /logger\.test/);
});

test('lines of the audit come at any level, until they are switched off by name', () => {
  const { log, written } = rig({ env: { RINGMQ_LOG_LEVEL: 'error' } });
  log.audit?.info({}, 'first');
  log.open();
  for (const level of ['warn', 'error', 'info', ''] as const) {
    log.setLevel(level);
    log.audit?.info({}, `at ${level}`);
  }
  log.info({}, 'not wanted');
  log.setAudit(false);
  log.audit?.info({}, 'off');
  log.setAudit(true);
  log.audit?.info({}, 'on again');
  const told = written.map((line) => JSON.parse(line).msg);
  assert.equal(told, ['first', 'at warn', 'at error', 'at info', 'at ', 'on again']);
});

test('a silent log has no audit either', () => {
  const { log, written } = rig({ env: { RINGMQ_LOG_LEVEL: 'silent' } });
  log.audit?.info({}, 'of an audit');
  log.open();
  assert.equal(written, []);
});

test('for a terminal it is text: local time with ms, level, message, fields behind it', () => {
  const { log, written } = rig({ isTerminal: true, env: { NO_COLOR: '1' } });
  log.error({ topic: 'orders' }, 'something odd');
  const two = (number: number, digits = 2) => String(number).padStart(digits, '0');
  const at = new Date(NOON);
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.007`;
  assert.is(written.join(''), `[${day} ${time}] ERROR (${process.pid}): something odd {"topic":"orders"}\n`);
});

test('what a client sent makes no line of its own and does nothing to the terminal', () => {
  const evil = `x\n[2026] ERROR: forged ${ESCAPE}[2J\u009b2J`;
  const { log, written } = rig({ isTerminal: true, env: { NO_COLOR: '1' } });
  log.warn({ topic: evil }, `closed: ${evil}`);
  const text = written.join('');
  assert.is(text.indexOf('\n'), text.length - 1);
  assert.not.match(text.slice(0, -1), /\p{Cc}/u);
  const json = rig();
  json.log.warn({ topic: evil }, `closed: ${evil}`);
  assert.is(JSON.parse(json.written.join('')).msg, `closed: ${evil}`);
});

test('colours only on a terminal, and not where NO_COLOR or the terminal says no', () => {
  const coloured = (isTerminal: boolean, env: Record<string, string>) => {
    const { log, written } = rig({ isTerminal, env });
    log.warn({}, 'x');
    return written.join('').includes(ESCAPE);
  };
  assert.is(coloured(true, {}), true);
  assert.is(coloured(true, { NO_COLOR: '' }), true, 'an empty one does not count');
  assert.is(coloured(true, { NO_COLOR: '1' }), false);
  assert.is(coloured(true, { TERM: 'dumb' }), false);
  assert.is(coloured(false, { RINGMQ_LOG_FORMAT: 'text' }), false);
});

test('RINGMQ_LOG_FORMAT has the last word, and what it cannot mean is refused, as is a level', () => {
  const first = (isTerminal: boolean, format: string) => {
    const { log, written } = rig({ isTerminal, env: { RINGMQ_LOG_FORMAT: format } });
    log.warn({}, 'x');
    return written.join('')[0];
  };
  assert.is(first(true, 'json'), '{');
  assert.is(first(false, 'text'), '[');
  assert.is(first(true, 'JSON'), '{');
  assert.is(first(false, 'Text'), '[');
  assert.is(first(false, ''), '{');
  const refused = (env: Record<string, string>, sentence: RegExp) =>
    assert.throws(
      () => rig({ env }),
      (error: unknown) => error instanceof UserError && sentence.test(error.message),
    );
  refused({ RINGMQ_LOG_FORMAT: 'xml' }, /^RINGMQ_LOG_FORMAT=xml: allowed are json and text\.$/);
  refused({ RINGMQ_LOG_LEVEL: 'loud' }, /^RINGMQ_LOG_LEVEL=loud: allowed are trace, debug, info, warn/);
});

test('the level decides what is written', () => {
  for (const [level, count] of [
    ['trace', 3],
    ['info', 3],
    ['warn', 2],
    ['WARN', 2],
    ['error', 1],
    ['silent', 0],
  ] as const) {
    const { log, written } = rig({ env: { RINGMQ_LOG_LEVEL: level } });
    log.info({}, 'a');
    log.warn({}, 'b');
    log.error({}, 'c');
    assert.is(written.length, count, level);
  }
});

test('a start does not wait for the libraries: its lines are held until it is over, in their order and with their time', () => {
  const { log, written, state } = rig();
  log.info({}, 'first');
  state.now += 100;
  log.info({}, 'second');
  assert.equal([written, state.loads], [[], 0]);
  log.open();
  log.info({}, 'third');
  const lines = written.map((text) => JSON.parse(text));
  assert.equal(
    lines.map(({ msg }) => msg),
    ['first', 'second', 'third'],
  );
  assert.is(lines[0].time, '2026-11-26T12:00:00.007Z');
  assert.is(lines[1].time, '2026-11-26T12:00:00.107Z');
  log.open();
  assert.is(written.length, 3, 'nothing is written twice');
});

test('what needs attention is written at once, and so is the news of a long start', () => {
  const urgent = rig();
  urgent.log.info({}, 'first');
  urgent.log.warn({}, 'second');
  assert.is(urgent.written.length, 2);
  const long = rig();
  long.log.info({}, 'first');
  long.state.now += 3_000;
  long.log.info({}, 'second');
  assert.is(long.written.length, 2);
});

test('what is held is written when the process ends, by itself or by an error that nobody has caught', () => {
  const module = new URL('../../../src/cli/logger.js', import.meta.url).href;
  for (const end of ['process.exit(3)', 'throw new Error("uncaught")', '']) {
    const script = `
      const { createLogger } = await import('${module}');
      const log = createLogger();
      log.info({}, 'held');
      ${end}
    `;
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      env: { ...process.env, RINGMQ_LOG_FORMAT: 'json', RINGMQ_LOG_LEVEL: 'info' },
    });
    const line = child.stderr.split('\n').find((text) => text.startsWith('{'));
    assert.is(JSON.parse(line ?? '{}').msg, 'held', `${end}: ${child.stderr}`);
  }
});

test('a line that pino cannot be loaded for is written as pino would, and the next one tries again', () => {
  let fails = true;
  const { log, written } = rig({
    openForm: (form, write) => {
      if (fails) throw new Error('no descriptor');
      return openForm(form, write);
    },
  });
  const err = new TypeError('inner');
  log.error({ err, at: 7 }, 'text');
  fails = false;
  log.error({ err, at: 7 }, 'text');
  assert.is(written[0], written[1]);
  assert.is(JSON.parse(written[0] ?? '').err.type, 'TypeError');
});

test('lines that stderr does not take are counted, and told when it takes some again', () => {
  const { log, written, state } = rig();
  log.warn({}, 'a');
  state.takes = false;
  for (let i = 0; i < 5; i++) log.warn({}, 'b');
  state.takes = true;
  log.warn({}, 'c');
  log.warn({}, 'd');
  assert.equal(
    written.map((text) => JSON.parse(text)).map(({ msg, lines }) => [msg, lines ?? 0]),
    [
      ['a', 0],
      ['lines of this log were lost: they could not be written', 5],
      ['c', 0],
      ['d', 0],
    ],
  );
});

type WriteSync = NonNullable<ConstructorParameters<typeof StderrLines>[1]>;

/** stderr that takes so many bytes, and says `code` then. */
function narrow(code: string) {
  const state = { room: 0, tries: 0, text: '' };
  const write = (_: number, bytes: Uint8Array) => {
    state.tries += 1;
    const count = Math.min(state.room, bytes.length);
    if (count === 0) throw Object.assign(new Error(code), { code });
    state.room -= count;
    state.text += Buffer.from(bytes.subarray(0, count)).toString();
    return count;
  };
  return { state, lines: new StderrLines(2, write as WriteSync) };
}

test('a full pipe is waited for a moment, once; what it has begun to take it gets whole', () => {
  const { state, lines } = narrow('EAGAIN');
  assert.is(lines.write('first\n'), false);
  const waited = state.tries;
  assert.ok(waited > 10, 'it was tried for a while');
  assert.is(lines.write('second\n'), false);
  assert.is(state.tries, waited + 1, 'and then no more');
  state.room = 3;
  assert.is(lines.write('third\n'), true);
  state.room = 100;
  assert.is(lines.write('fourth\n'), true);
  assert.is(state.text, 'third\nfourth\n');
});

test('a reader that has gone costs lines, and nothing is waited for', () => {
  for (const code of ['EPIPE', 'EBADF', 'EIO', 'ENOSPC']) {
    const { state, lines } = narrow(code);
    assert.is(lines.write('x\n'), false);
    assert.is(state.tries, 1, code);
    state.room = 10;
    assert.is(lines.write('y\n'), true, 'it may be back');
  }
});

/** Writes 4 MiB of lines to stderr, then tells on stdout that it still lives. */
const TALKER = `
  const { createLogger } = await import('${new URL('../../../src/cli/logger.js', import.meta.url).href}');
  const log = createLogger();
  const text = 'x'.repeat(1024);
  for (let i = 0; i < 4096; i++) log.warn({}, text);
  process.stdout.write('alive', () => process.exit(0));
`;

/** The two ends of a pipe or a socket as stderr of a process; `close` ends the reader, which never reads. */
const READERS: readonly [
  name: string,
  make: (directory: string) => { stderr: 'pipe' | number; close(): void },
][] = [
  ['socket', () => ({ stderr: 'pipe', close: () => {} })],
  [
    'pipe',
    (directory) => {
      const path = join(directory, 'fifo');
      assert.is(spawnSync('mkfifo', [path]).status, 0);
      const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      return { stderr: openSync(path, constants.O_WRONLY), close: () => closeSync(reader) };
    },
  ],
];

for (const [name, make] of READERS) {
  for (const isClosed of [false, true]) {
    test(`stderr is a ${name} that nobody reads${isClosed ? ' any more' : ''}: the process goes on`, async () => {
      const directory = mkdtempSync(join(tmpdir(), 'ringmq-log-'));
      const { stderr, close } = make(directory);
      const child = spawn(process.execPath, ['--input-type=module', '-e', TALKER], {
        stdio: ['ignore', 'pipe', stderr],
        env: { ...process.env, RINGMQ_LOG_LEVEL: 'info' },
      });
      if (isClosed) {
        close();
        child.stderr?.destroy();
      }
      let out = '';
      child.stdout?.on('data', (data) => {
        out += data;
      });
      const endless = setTimeout(() => child.kill('SIGKILL'), 30_000);
      const end = await new Promise((resolve) => child.once('close', (...how) => resolve(how.join())));
      clearTimeout(endless);
      if (!isClosed) close();
      if (typeof stderr === 'number') closeSync(stderr);
      child.stderr?.destroy();
      rmSync(directory, { recursive: true });
      assert.equal([end, out], ['0,', 'alive']);
    });
  }
}

test.run();
