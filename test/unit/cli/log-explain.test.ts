/** `log dump --explain` and `--at`, on files that the store's own code has written, whole and damaged. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FORMATS, formatOf } from '../../../src/cli/log/explain/formats/formats.ts';
import { WHEEL_SLOTS } from '../../../src/delivery/timer/timer-layout.ts';
import { storePaths } from '../../../src/store/paths.ts';
import { ENTRY_BYTES } from '../../../src/store/queue/consume-queue.ts';
import { PROJECT } from '../../support/markdown-pages.ts';
import { sourceFiles } from '../../support/source-files.ts';
import { TimerRig } from '../delivery/timer-support.ts';
import { explained, explainedLines, type Line, makeFullStore } from './explain-support.ts';
import {
  bytesAt,
  endOf,
  FILE_SIZE,
  logFile,
  patch,
  queueFile,
  removeStore,
  type TestStore,
} from './store-support.ts';

const test = suite<{ store: TestStore }>('log dump --explain');

test.before.each(async (context) => {
  context.store = await makeFullStore();
});

test.after.each(({ store }) => removeStore(store));

const FIRST = `commitlog/${'0'.repeat(20)}`;

function indexFile({ root }: TestStore): string {
  return join(root, 'index', readdirSync(join(root, 'index')).sort()[0] as string);
}

/** The one damage that is found in the file. */
function damageOf(store: TestStore, file: string): { at: number; text: string } {
  const found = explainedLines(store.root, { file, limit: 1 }).flatMap(({ damage = [] }) => damage);
  assert.is(found.length, 1, JSON.stringify(found));
  return found[0] as { at: number; text: string };
}

test('every file of a store is explained, and nothing in it is unknown or wrong', ({ store }) => {
  const { text, damages } = explained(store.root);
  assert.is(
    damages,
    0,
    text
      .split('\n')
      .filter((line) => line.includes('WRONG'))
      .join('\n'),
  );
  assert.not.match(text, /not known here|No broker puts/);
  const shown = new Set([...text.matchAll(/^== (\S+)$/gm)].map((match) => match[1]));
  const all = readdirSync(store.root, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .map((file) => relative(store.root, join(file.parentPath, file.name)));
  assert.ok(all.length > 30, 'the store has all kinds of files');
  assert.equal(
    all.filter((path) => !shown.has(path)),
    [],
  );
});

test('a layout is told once, with what a reader may not assume', ({ store }) => {
  const { text } = explained(store.root);
  assert.is(text.match(/^CommitLog \(RocketMQ\)\./gm)?.length, 1);
  assert.match(text, /^ +0 \| totalSize i32 +\| magic i32 +\| bodyCrc i32 +\| queueId i32 +\|$/m);
  assert.match(text, /^ {2}- bodyCrc: that it covers anything but the body/m);
  assert.match(text, /Its layout stands above/);
});

test('bytes stand beside what they mean', ({ store }) => {
  const { text } = explained(store.root, { file: FIRST, limit: 1 });
  assert.match(text, /^ +4 {2}da a3 20 a7 +magic +0xdaa320a7 +the version of the record: V1/m);
  assert.match(text, /^ +48 {2}0a 00 00 01 00 00 12 67 +bornHost +10\.0\.0\.1:4711 +the producer$/m);
  assert.match(text, /^ +\d+ {2}4b 45 59 53 01 6b 65 79 +property KEYS +key0 other0$/m);
  assert.match(text, /… and \d+ more, sound: --limit 0 shows them/);
  assert.match(explained(store.root, { file: FIRST, limit: 1, hex: true }).text, /^ {6}2128 /m);
});

test('members of JSON files, each with its place and meaning', ({ store }) => {
  const text = readFileSync(join(store.root, 'config', 'topics.json'), 'utf8');
  const lines = explainedLines(store.root, { file: 'config/topics.json', limit: 0 });
  const orders = lines.find(({ what }) => what === 'topicConfigTable Orders');
  const fields = orders?.['explained'] as { name: string; at: number; meaning: string }[];
  const perm = fields.find(({ name }) => name === 'perm');
  assert.is(text.slice(perm?.at, (perm?.at ?? 0) + 6), '"perm"');
  assert.is(perm?.meaning, '4 read, 2 write, 1 inherit');
});

test('one message: record, queue entry, index slots and chains, with files and bytes', ({ store }) => {
  const position = store.positions[31] as number;
  const host = '0A00000100001267';
  const id = `${host}${position.toString(16).toUpperCase().padStart(16, '0')}`;
  const byPosition = explained(store.root, { at: String(position), json: true });
  assert.is(byPosition.damages, 0);
  assert.is(explained(store.root, { at: id, json: true }).text, byPosition.text, 'by its id');
  assert.is(explained(store.root, { at: 'U31', json: true }).text, byPosition.text, "by the client's id");
  const lines = explainedLines(store.root, { at: id });
  const record = lines.find(({ what }) => what === 'record');
  assert.equal([record?.['at'], record?.['topic'], record?.['queueOffset']], [position, 'Events', 10]);
  const entry = lines.find(
    ({ file, what }) => String(file).startsWith('consumequeue/') && what === 'entry 10',
  );
  assert.equal(
    [entry?.['file'], entry?.['at'], entry?.['physicalOffset']],
    [`consumequeue/Events/1/${'0'.repeat(20)}`, 10 * ENTRY_BYTES, position],
  );
  const own = lines.filter(({ whose }) => whose === 'this message');
  assert.is(own.length, 4, 'UNIQ_KEY, two KEYS, TAGS');
  for (const { file, at } of own) {
    const bytes = bytesAt(join(store.root, String(file)), Number(at) + 4, 8);
    assert.is(Number(bytes.readBigInt64BE()), position);
  }
  const slots = lines.filter(({ what }) => /^slot /.test(String(what)));
  assert.equal(
    slots.map(({ key }) => key),
    ['Events#U31', 'Events#key31', 'Events#other1', 'Events#T#tag1'],
  );
  for (const { file, at, newest } of slots)
    if (newest !== undefined)
      assert.is(bytesAt(join(store.root, String(file)), Number(at), 4).readInt32BE(), newest);
  assert.match(explained(store.root, { at: id }).text, /: its keys in the index$/m);
});

test('one message: what is not a record, and what is nowhere', ({ store }) => {
  const [first, second] = store.positions as [number, number];
  const inside = explained(store.root, { at: String(first + 100) });
  assert.is(inside.damages, 1);
  assert.match(
    inside.text,
    new RegExp(`record in front +${first} +it has ${second - first} bytes and ends at ${second}`),
  );
  const last = [...store.positions].reverse().find((position) => position < FILE_SIZE) as number;
  const blank = explained(store.root, { at: String(endOf(store, last)) });
  assert.is(blank.damages, 0);
  assert.match(blank.text, /^BLANK: byte/m);
  assert.throws(() => explained(store.root, { at: '999999999' }), /no file for 999999999/);
  assert.throws(() => explained(store.root, { at: 'nobody' }), /is no message of this store/);
});

test('one message whose queue and index entries are wrong or missing', ({ store }) => {
  const position = String(store.positions[31]);
  patch(queueFile(store, 'Events', 1), 10 * ENTRY_BYTES, Buffer.alloc(8, 1));
  const wrong = explainedLines(store.root, { at: position }).flatMap(({ damage = [] }) => damage);
  assert.equal(
    wrong.map(({ at }) => at),
    [10 * ENTRY_BYTES],
  );
  truncateSync(queueFile(store, 'Events', 1), 10 * ENTRY_BYTES);
  for (const name of readdirSync(join(store.root, 'index')))
    writeFileSync(join(store.root, 'index', name), '');
  const { text } = explained(store.root, { at: position });
  assert.match(text, /where nothing was written yet/);
  assert.match(text, /no index file covers its position/);
});

for (const [name, at, bytes, text] of [
  ['magic', 4, [0], /no record begins here \(magic is 0x00a320a7\)/],
  ['totalSize', 0, [0x7f], /its size leads out of the file \(totalSize is 2130\d+, \d+ bytes are left/],
  ['bodyCrc', 8, [0x55], /its CRC differs \(bodyCrc is 0x55\w+, the 2048 bytes from byte \d+ on have 0x/],
  ['physicalOffset', 28, [0, 0, 0, 0, 0, 0, 0, 1], /belongs elsewhere.*physicalOffset is 1, it stands at/],
  ['bodyLength', 84, [0x7f], /lengths of its parts.*bodyLength is 2130/],
  ['topicLength', 88 + 2048, [0x80], /topicLength is -128/],
  [
    'propertiesLength',
    88 + 2048 + 1 + 6,
    [0x70, 0],
    /propertiesLength is 28672: the parts make \d+ bytes, totalSize says/,
  ],
] as const) {
  test(`a damaged record: ${name}`, ({ store }) => {
    const position = store.positions[4] as number;
    patch(logFile(store, position).path, position + at, Buffer.from(bytes));
    const damage = damageOf(store, FIRST);
    assert.is(damage.at, position + at);
    assert.match(damage.text, text);
    const shown = explained(store.root, { file: FIRST, limit: 1 }).text;
    assert.match(shown, new RegExp(`WRONG at byte ${position + at}: `));
    assert.match(
      shown,
      /^ +\d+ {1,2}(?:[0-9a-f]{2}[ \]])*.*\[[0-9a-f]{2}\]/m,
      'the byte is marked among those around',
    );
  });
}

test('a body that has changed: the byte of its checksum, and where the body is', ({ store }) => {
  const position = store.positions[4] as number;
  patch(logFile(store, position).path, position + 500, Buffer.from([0]));
  assert.is(damageOf(store, FIRST).at, position + 8);
});

test('zeros instead of properties: the first of them', ({ store }) => {
  const position = store.positions[4] as number;
  const end = endOf(store, position);
  patch(logFile(store, position).path, end - 5, Buffer.alloc(5));
  assert.equal(damageOf(store, FIRST), { at: end - 5, text: damageOf(store, FIRST).text });
});

test('a CommitLog file that is cut', ({ store }) => {
  const position = store.positions[4] as number;
  truncateSync(join(store.root, FIRST), position + 40);
  const found = explainedLines(store.root, { file: FIRST, limit: 0 }).flatMap(({ damage = [] }) => damage);
  assert.equal(
    found.map(({ at }) => at),
    [position + 40, position],
  );
});

test('queue entries: a hole, a wrong position, size and tag, a short file', ({ store }) => {
  const file = `consumequeue/Events/1/${'0'.repeat(20)}`;
  const path = join(store.root, file);
  const sound = bytesAt(path, 0, 200);
  const cases: [at: number, bytes: Buffer, wrongAt: number, text: RegExp][] = [
    [3 * 20, Buffer.alloc(20), 60, /entry 3 is missing/],
    [3 * 20 + 7, Buffer.from([(sound[67] as number) + 1]), 60, /points to \d+: no magic/],
    [
      3 * 20 + 11,
      Buffer.from([(sound[71] as number) + 1]),
      68,
      /the record there has \d+ bytes, the entry says/,
    ],
    [3 * 20 + 19, Buffer.from([(sound[79] as number) + 1]), 72, /its tag has the hash/],
    [3 * 20, sound.subarray(20, 40), 60, /not behind the entry in front/],
  ];
  for (const [at, bytes, wrongAt, text] of cases) {
    patch(path, at, bytes);
    const damage = damageOf(store, file);
    assert.is(damage.at, wrongAt, String(text));
    assert.match(damage.text, text);
    patch(path, 0, sound);
  }
  truncateSync(path, 110);
  const found = explainedLines(store.root, { file }).flatMap(({ damage = [] }) => damage);
  assert.equal(
    found.map(({ at }) => at),
    [100, 110],
  );
});

test('the index: header, slot, chain, key, a short file', ({ store }) => {
  const path = indexFile(store);
  const file = relative(store.root, path);
  const sound = readFileSync(path);
  const entry = 40 + 64 * 4 + 5 * 20;
  const slot = 40 + (sound.readInt32BE(entry) % 64) * 4;
  const cases: [at: number, bytes: number[], wrongAt: number, text: RegExp][] = [
    [16, [0x80], 16, /beginPhyOffset is -/],
    [36, [0x00, 0x70, 0, 0], 36, /indexCount is 7340032, there is room for 256/],
    [slot, [0x7f], slot, /names entry \d+, the file has room for/],
    [entry, [0x80], entry, /keyHash -\d+ is negative/],
    [entry + 4, [0x80], entry + 4, /phyOffset -\d+ is no position/],
    [entry + 16, [0, 0, 0, 9], entry + 16, /previous 9 is no older entry than 5/],
    [entry + 3, [(sound[entry + 3] as number) ^ 1], entry + 4, /has no key with the hash/],
  ];
  for (const [at, bytes, wrongAt, text] of cases) {
    patch(path, at, Buffer.from(bytes));
    const found = explainedLines(store.root, { file, limit: 1 }).flatMap(({ damage = [] }) => damage);
    assert.ok(
      found.some((one) => one.at === wrongAt && text.test(one.text)),
      `${text} ${JSON.stringify(found)}`,
    );
    writeFileSync(path, sound);
  }
  truncateSync(path, 30);
  assert.is(damageOf(store, file).at, 30);
});

test('small files: checkpoint, abort, boot, JSON', ({ store }) => {
  const at = (file: string, path = join(store.root, file)) => ({ file, path });
  const checkpoint = at('checkpoint');
  patch(checkpoint.path, 8, Buffer.from([0x80]));
  assert.is(damageOf(store, 'checkpoint').at, 8);
  truncateSync(checkpoint.path, 20);
  assert.equal(damageOf(store, 'checkpoint').at, 20);
  writeFileSync(at('abort').path, '12x4');
  assert.is(damageOf(store, 'abort').at, 2);
  writeFileSync(at('ringmq.boot').path, 'not a boot');
  assert.is(damageOf(store, 'ringmq.boot').at, 0);
  const topics = at('config/topics.json');
  const whole = readFileSync(topics.path, 'utf8');
  const cut = whole.indexOf(',', 300) + 1;
  truncateSync(topics.path, cut);
  assert.is(damageOf(store, topics.file).at, cut);
  const name = whole.indexOf('"topicFilterType"');
  writeFileSync(topics.path, whole.slice(0, name + 5));
  assert.is(damageOf(store, topics.file).at, name, 'where the text begins that has no end');
  const colon = whole.indexOf(':', 400);
  writeFileSync(topics.path, `${whole.slice(0, colon)};${whole.slice(colon + 1)}`);
  const damage = damageOf(store, topics.file);
  assert.equal([damage.at, damage.text], [colon, '";" stands here, : belongs there']);
  writeFileSync(at('ringmq.failed-sync').path, '{"queuesTrustedUntil":"x"}');
  assert.equal(damageOf(store, 'ringmq.failed-sync'), {
    at: 1,
    text: 'queuesTrustedUntil: "x" stands where a number belongs',
  });
});

test('files that no broker puts there are named', ({ store }) => {
  writeFileSync(join(store.root, 'commitlog', 'notes.txt'), 'mine');
  writeFileSync(join(store.root, 'notes.txt'), 'mine');
  const { text, damages } = explained(store.root);
  assert.is(damages, 1, 'in the root it harms nobody');
  assert.match(
    text,
    /^== commitlog\/notes.txt\nNo broker puts such a file here\.\n {2}WRONG at byte 0: it does not belong here/m,
  );
  assert.match(text, /^== notes.txt\nNo broker puts such a file here\./m);
});

test('timed messages: wheel, log and checkpoint, whole and damaged', async () => {
  const rig = new TimerRig({ wheelSlots: WHEEL_SLOTS, mappedFileSizeTimerLog: 52 * 3 + 16 });
  for (const at of [5_250, 5_500, 9_250, 9_500]) rig.at(`m${at}`, rig.time.now() + at);
  await rig.time.advance(100);
  await rig.stop();
  rig.disk.makeDirectory('/store/commitlog');
  const found = () =>
    explainedLines('/store', { limit: 0 }, rig.disk).flatMap(({ file, damage = [] }: Line) =>
      damage.map(({ at, text }) => [file, at, text] as const),
    );
  assert.equal(found(), []);
  assert.match(explained('/store', {}, rig.disk).text, /^ +4 {2}ff ff ff ff ff ff ff ff +previous +-1/m);
  const spoil = (file: string, at: number, bit = 1) => {
    const bytes = rig.disk.bytesOf(`/store/${file}`);
    bytes[at] = (bytes[at] as number) ^ bit;
    const result = found().map(([where, byte]) => [where, byte]);
    bytes[at] = (bytes[at] as number) ^ bit;
    return result;
  };
  const log = `timerlog/${'0'.repeat(20)}`;
  assert.equal(spoil(log, 52 + 3), [[log, 52]]);
  assert.equal(spoil(log, 52 + 15, 0x10), [[log, 64]]);
  assert.equal(spoil(log, 52 + 30), [[log, 52 + 44]], 'the seal covers it');
  const slot = rig.disk.bytesOf('/store/timerwheel').findIndex((byte) => byte !== 0);
  const begin = slot - (slot % 32);
  assert.equal(spoil('timerwheel', begin + 7), [['timerwheel', begin]]);
  assert.equal(spoil('timerwheel', begin + 27), [['timerwheel', begin + 28]]);
  assert.equal(spoil('config/timercheck', 0, 0x80), [['config/timercheck', 0]]);
});

test('every path of a store, and every file name in the sources, has its format', () => {
  const folders = new Map([
    ['consumeQueue', `Orders/0/${'0'.repeat(20)}`],
    ['index', '20261121121718219'],
    ['config', 'topics.json'],
    ['timerLog', '0'.repeat(20)],
    ['actingTimers', 'timerwheel'],
  ]);
  for (const [name, pathOf] of Object.entries(storePaths)) {
    const path = join(pathOf(''), folders.get(name) ?? '');
    assert.ok(
      formatOf(path) !== undefined,
      `${path} (storePaths.${name}) has no format in src/cli/log/explain/formats`,
    );
  }
  const names = sourceFiles('src').flatMap(({ path, text }) =>
    /^src\/(?:metadata|store|delivery|embed)\//.test(path)
      ? [...text.matchAll(/'((?:ringmq\.)?[\w-]+\.json|ringmq\.[\w-]+)'/g)].map((match) => match[1] as string)
      : [],
  );
  assert.ok(names.includes('consumerFilter.json') && names.includes('ringmq.boot') && names.length > 15);
  const isKnown = (name: string) =>
    [name, `config/${name}`, `${name}/`].some((path) => formatOf(path) !== undefined) ||
    name === 'ringmq.cut';
  assert.equal(
    [...new Set(names)].filter((name) => !isKnown(name) && !/^ringmq\.\w+[A-Z]/.test(name)),
    [],
  );
});

test('the code that a format names is there', () => {
  for (const { code, title } of FORMATS) assert.ok(existsSync(join(PROJECT, code)), `${title}: ${code}`);
});

test('the command: a file instead of a store, exit codes, JSON', ({ store }) => {
  const main = fileURLToPath(new URL('../../../src/cli/main.js', import.meta.url));
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [main, 'log', ...args], { encoding: 'utf8' });
  const path = join(store.root, FIRST);
  const sound = run('dump', '--explain', path, '--limit', '1');
  assert.is(sound.status, 0, sound.stderr);
  assert.match(sound.stdout, /^== commitlog\/0{20}$/m);
  assert.is(sound.stdout.match(/^== /gm)?.length, 1);
  patch(path, (store.positions[3] as number) + 4, Buffer.alloc(1));
  const damaged = run('dump', '--explain', path, '--limit', '1', '--json');
  assert.is(damaged.status, 1);
  const lines = damaged.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
  assert.is((lines[0]?.['explains'] as { title: string }).title, 'CommitLog');
  assert.equal(
    lines.flatMap(({ damage = [] }) => damage.map(({ at }) => at)),
    [(store.positions[3] as number) + 4],
  );
  assert.is(run('dump', store.root, '--at', 'nobody').status, 2);
  assert.is(run('dump', '--explain', join(PROJECT, 'package.json')).status, 2);
  const missing = run('dump', '--explain', join(store.root, 'nothing'));
  assert.equal(
    [missing.status, missing.stderr],
    [2, `${join(store.root, 'nothing')} does not exist: name a store, or a file of one.\n`],
  );
});

test.run();
