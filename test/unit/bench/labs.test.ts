/** Every lab runs in a tiny form and gives what it declares; one that cannot run is told, and the others go on. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { drawChart } from '../../../bench/labs/lib/chart.ts';
import {
  CannotRun,
  type Case,
  findingsOf,
  type Lab,
  type Row,
  type Scale,
  TINY,
} from '../../../bench/labs/lib/lab.ts';
import { loadLab } from '../../../bench/labs/lib/load-lab.ts';
import { LAB_NAMES, parseLabOptions } from '../../../bench/labs/lib/options.ts';
import { endedChildrenSeconds } from '../../../bench/labs/lib/others-watch.ts';
import { sectionOf, tableOf } from '../../../bench/labs/lib/page.ts';
import { measureRounds } from '../../../bench/labs/lib/rounds.ts';
import { runLab } from '../../../bench/labs/lib/run.ts';
import { PROJECT } from '../../support/markdown-pages.ts';
import { readProjectFile } from '../../support/source-files.ts';

const MAIN = fileURLToPath(new URL('../../../bench/labs/main.js', import.meta.url));
const test = suite('labs');

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'ringmq-labs-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const ATTRIBUTES = /^(?:\s+[\w:-]+="[^"<&]*(?:&[#\w]+;[^"<&]*)*")*\s*\/?$/;

/** The first tag that is not closed, closed and not opened, or has attributes that are none. */
function unbalanced(svg: string): string | undefined {
  const open: string[] = [];
  for (const [, slash, name = '', rest = ''] of svg.matchAll(/<(\/?)([a-zA-Z][\w:]*)([^<>]*)>/g)) {
    if (!ATTRIBUTES.test(rest)) return name;
    if (slash === '/') {
      if (open.pop() !== name) return name;
    } else if (!rest.endsWith('/')) open.push(name);
  }
  return open.pop();
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;').replaceAll("'", '&#39;');

function checkChart(lab: Lab, rows: readonly Row[]): void {
  const svg = drawChart(lab, rows);
  assert.match(svg, /^<svg role="img" aria-label="[^"]+" [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
  assert.is(unbalanced(svg), undefined);
  assert.not.match(svg, /NaN|undefined|Infinity/);
  const drawn = rows.filter((row) => row.figures[lab.chart.column] !== undefined);
  for (const row of drawn) {
    assert.ok(svg.includes(escaped(row.way)), `the chart names ${row.way}`);
    assert.ok(svg.includes(escaped(row.place)), `the chart names ${row.place}`);
  }
}

function checkRows(lab: Lab, rows: readonly Row[]): void {
  const keys = lab.columns.map(({ key }) => key);
  assert.ok(
    rows.some(({ figures }) => figures[lab.chart.column] !== undefined),
    'the chart has figures',
  );
  assert.is(
    new Set(rows.map(({ place, way }) => `${place}\n${way}`)).size,
    rows.length,
    'a row is there twice',
  );
  for (const { place, way, figures } of rows) {
    for (const [key, { median, min, max }] of Object.entries(figures)) {
      assert.ok(keys.includes(key), `${key} is a column`);
      assert.ok(
        min <= median && median <= max && min >= 0 && Number.isFinite(max),
        `${way}, ${place}: ${key}`,
      );
    }
    assert.ok(Object.keys(figures).length > 0, `${way}, ${place} has figures`);
  }
  const lines = tableOf(lab, rows).split('\n');
  assert.is(lines.length, rows.length + 2);
  for (const { title } of lab.columns) assert.ok(lines[0]?.includes(title), title);
}

test('the list has every lab that there is', () => {
  const files = readdirSync(join(PROJECT, 'bench/labs')).filter((name) => name.endsWith('.lab.ts'));
  assert.equal(files.sort(), LAB_NAMES.map((name) => `${name}.lab.ts`).sort());
});

for (const name of LAB_NAMES) {
  test(`${name} runs, and gives a table and a chart`, async () => {
    await inFolder(async (folder) => {
      const lab = await loadLab(name);
      const said: string[] = [];
      const result = await runLab(name, lab, { folder, scale: TINY, say: (line) => said.push(line) });
      assert.is(result.failure, undefined);
      assert.equal(readdirSync(folder), [], 'its files are removed');
      if (result.cannotRun !== undefined) {
        console.log(`skipped: ${name} (${result.cannotRun})`);
        assert.ok(result.cannotRun.length > 0);
        return;
      }
      assert.equal(said, ['  round 1 of 1']);
      const { rows = [], skipped = [], findings = [] } = result.measured ?? {};
      for (const reason of skipped) console.log(`skipped: ${name}: ${reason}`);
      checkRows(lab, rows);
      checkChart(lab, rows);
      if (skipped.length === 0) assert.is(findings.length, lab.findings.length);
      for (const finding of findings) assert.not.match(finding, /NaN|undefined/);
      assert.ok(sectionOf(result).includes(tableOf(lab, rows)));
    });
  });

  test(`${name} names sources that exist, and names that stand in them`, async () => {
    const { uses, chart, columns } = await loadLab(name);
    assert.ok(uses.length > 0);
    for (const { file, symbol } of uses) {
      assert.ok(existsSync(join(PROJECT, file)), file);
      assert.ok(new RegExp(`\\b${symbol}\\b`).test(readProjectFile(file)), `${symbol} in ${file}`);
    }
    assert.ok(columns.some(({ key }) => key === chart.column));
  });

  test(`${name} has a section in docs/labs.md and a page of the run in docs/labs`, async () => {
    const { title } = await loadLab(name);
    assert.ok(readProjectFile('docs/labs.md').includes(`(labs/${name}.md)`));
    assert.ok(readProjectFile(`docs/labs/${name}.md`).startsWith(`# ${title}\n`));
    assert.is(unbalanced(readProjectFile(`docs/labs/${name}.svg`)), undefined);
  });
}

test('what is no tree of tags is found', () => {
  assert.is(unbalanced('<svg><g/><text>a</text></svg>'), undefined);
  assert.is(unbalanced('<svg><g></svg>'), 'svg');
  assert.is(unbalanced('<svg><g></g>'), 'svg');
  assert.is(unbalanced('<svg><g style="font: "A""/></svg>'), 'g');
  assert.is(unbalanced('<svg><g a="&quot;" b-c="1"/></svg>'), undefined);
});

test('a lab that cannot run is told, and the others go on', async () => {
  await inFolder(async (folder) => {
    const preload = join(folder, 'no-mmap-io.cjs');
    writeFileSync(
      preload,
      `const module_ = require('node:module');
       const resolve = module_._resolveFilename;
       module_._resolveFilename = (name, ...rest) => {
         if (name === 'mmap-io') throw new Error("Cannot find module 'mmap-io'");
         return resolve(name, ...rest);
       };`,
    );
    const env = { ...process.env, NODE_OPTIONS: `--require=${preload}` };
    const args = [MAIN, '--quick', '--out', join(folder, 'out'), 'mmap-io', 'header'];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env });
    assert.is(status, 0, stderr);
    assert.match(
      stdout,
      /not measured here: mmap-io cannot be loaded: Cannot find module 'mmap-io'; it is an/,
    );
    assert.match(stdout, /\| JSON +\| JSON\.parse/);
    assert.match(stderr, /^up to 32 MiB of disk at a time in \S+, removed afterwards$/m);
    assert.match(stderr, /^ {2}round 2 of 2$/m);
    const written = readdirSync(join(folder, 'out')).sort();
    assert.equal(written, ['header.md', 'header.svg', 'index.md', 'mmap-io.md']);
    const index = readFileSync(join(folder, 'out/index.md'), 'utf8');
    for (const fact of ['processor', 'kernel', 'file system', 'Node.js', 'commit'])
      assert.match(index, new RegExp(`^\\| ${fact} +\\| \\S+`, 'm'));
    assert.match(index, /\[mmap-io\]\(mmap-io\.md\) +\| Our addon and mmap-io +\| not measured here/);
    const place = /of disk at a time in (\S+),/.exec(stderr)?.[1] ?? '';
    assert.not(existsSync(place), 'the files of the labs are gone');
  });
});

test('a lab whose process fails is told as a fault', async () => {
  await inFolder(async (folder) => {
    const lab = await loadLab('header');
    const result = await runLab('none', lab, { folder, scale: TINY, say: () => {} });
    assert.match(result.failure ?? '', /^its process ended with code 1$/);
    assert.match(sectionOf(result), /FAILED/);
  });
});

test('a lab for which there is too little disk does not begin', async () => {
  await inFolder(async (folder) => {
    const lab = await loadLab('append');
    const freeBytes = () => 5 << 20;
    const { cannotRun } = await runLab('append', lab, { folder, scale: TINY, say: () => {}, freeBytes });
    assert.match(cannotRun ?? '', /^it needs 64 MiB of free disk, and there are 5 MiB in /);
  });
});

const COLUMNS = [{ key: 'a', title: 'a' }];
const SCALE: Scale = { ...TINY, rounds: 3, warmUp: true };

test('cases are measured by turns, there and back, and the warm-up does not count', async () => {
  const order: string[] = [];
  let clock = 0;
  const one = (way: string): Case => ({
    place: '',
    way,
    prepare: () => {
      order.push('-');
    },
    measure: () => {
      order.push(way);
      return { a: clock++ };
    },
  });
  const rounds: number[] = [];
  const { rows } = await measureRounds([one('x'), one('y')], COLUMNS, SCALE, (round) => rounds.push(round));
  assert.equal(rounds, [0, 1, 2, 3]);
  assert.is(order.join(''), '-x-y-y-x-x-y-y-x');
  assert.equal(rows[0]?.figures, { a: { median: 4, min: 3, max: 7 } });
});

test('a case that cannot be measured is left out from then on, another error ends the lab', async () => {
  let tries = 0;
  const good: Case = { place: 'p', way: 'good', measure: () => ({ figures: { a: 1 }, remark: 'fine' }) };
  const bad: Case = {
    place: 'p',
    way: 'bad',
    measure: () => {
      tries++;
      throw new CannotRun('no such call');
    },
  };
  const { rows, skipped } = await measureRounds([good, bad], COLUMNS, SCALE, () => {});
  assert.is(tries, 1);
  assert.equal(skipped, ['bad, p: no such call']);
  assert.equal(
    rows.map(({ way, remark }) => [way, remark]),
    [['good', 'fine']],
  );
  const broken: Case = {
    ...bad,
    measure: () => {
      throw new Error('broken');
    },
  };
  try {
    await measureRounds([broken], COLUMNS, SCALE, () => {});
    assert.unreachable();
  } catch (error) {
    assert.is((error as Error).message, 'broken');
  }
});

test('a sentence about what was not measured is left out', () => {
  const lab = {
    findings: [
      (look: (...where: [string, string, string]) => number) => `${look('', 'x', 'a')}`,
      () => 'always',
    ],
  } as unknown as Lab;
  assert.equal(findingsOf(lab, []), ['always']);
  const figures = { a: { median: 2, min: 1, max: 3 } };
  assert.equal(findingsOf(lab, [{ place: '', way: 'x', figures, remark: '' }]), ['2', 'always']);
});

test('the command line', () => {
  assert.equal(parseLabOptions([]).names, [...LAB_NAMES]);
  assert.equal(parseLabOptions(['wake', 'append']).names, ['append', 'wake']);
  assert.ok(parseLabOptions(['--quick']).scale.rounds < parseLabOptions([]).scale.rounds);
  assert.throws(() => parseLabOptions(['sinc']), /^there is no lab "sinc"; did you mean sync\?$/);
  assert.throws(() => parseLabOptions(['--fast']), /^Unknown option '--fast'$/);
  assert.throws(() => parseLabOptions(['--out', '']), /^--out needs a directory$/);
  const { status, stderr } = spawnSync(process.execPath, [MAIN, '--out', MAIN, 'header'], {
    encoding: 'utf8',
  });
  assert.is(status, 2);
  assert.match(stderr, /^nothing can be written to \S+ \(--out\): /);
});

test('the list tells what each lab asks, and measures nothing', () => {
  const { status, stdout } = spawnSync(process.execPath, [MAIN, '--list'], { encoding: 'utf8' });
  assert.is(status, 0);
  assert.is(stdout.trimEnd().split('\n').length, LAB_NAMES.length);
});

test('CPU time of children that have ended is read behind any command name', () => {
  const stat = '12 (a) b)) S 1 12 12 0 -1 0 0 0 0 0 10 20 150 50 20 0 1 0 5';
  assert.is(endedChildrenSeconds(stat), 2);
});

test.run();
