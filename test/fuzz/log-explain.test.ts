/**
 * `log dump --explain`, `--at` and `log check --explain` on stores of which any file has lost or changed bytes: each
 * ends with an answer, every damage names a byte of its file, and what all readers check is found. FUZZ_SEED=<n> runs
 * with another seed.
 */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkStore } from '../../src/cli/log/check.ts';
import { UserError } from '../../src/lib/user-error.ts';
import { addon } from '../../src/native/addon.ts';
import { readOnlyDisk } from '../../src/store/disk/read-only-disk.ts';
import { explainedLines, makeFullStore } from '../unit/cli/explain-support.ts';
import { removeStore, type TestStore } from '../unit/cli/store-support.ts';
import { fuzz } from './run.ts';

interface Context {
  store: TestStore;
  copy: string;
  files: string[];
}

const test = suite<Context>('explained damage');

test.before(async (context) => {
  addon.installFaultGuard();
  const store = await makeFullStore();
  const copy = mkdtempSync(join(tmpdir(), 'ringmq-log-fuzz-'));
  const files = readdirSync(store.root, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .map((file) => relative(store.root, join(file.parentPath, file.name)))
    .sort();
  cpSync(store.root, copy, { recursive: true });
  Object.assign(context, { store, copy, files });
});

test.after(({ store, copy }) => {
  removeStore(store);
  rmSync(copy, { recursive: true });
});

interface Damage {
  /** Which file, and where in it: shares of all. */
  file: number;
  place: number;
  /** Cut there instead of a change. */
  cut: boolean;
  bytes: number[];
}

const damages: fc.Arbitrary<Damage> = fc.record({
  file: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
  place: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
  cut: fc.boolean(),
  bytes: fc.array(fc.nat(255), { minLength: 1, maxLength: 24 }),
});

/** Most of the files are holes: bytes that hold something are more often hit. */
function spoil(path: string, { place, cut, bytes }: Damage): void {
  const whole = readFileSync(path);
  const at = Math.floor(place * whole.length);
  const found = whole.findIndex((byte, i) => i >= at && byte !== 0);
  const from = found < 0 ? at : found;
  if (cut) truncateSync(path, from);
  else
    writeFileSync(
      path,
      Buffer.concat([whole.subarray(0, from), Buffer.from(bytes), whole.subarray(from + bytes.length)]),
    );
}

function looked(root: string, options: object): ReturnType<typeof explainedLines> {
  try {
    return explainedLines(root, { limit: 3, ...options }, readOnlyDisk);
  } catch (error) {
    // A sentence that says what to do is an answer.
    if (error instanceof UserError) return [];
    throw error;
  }
}

test('any change of any file is answered, by its byte where it is found', ({ store, copy, files }) => {
  let named = 0;
  fuzz(
    damages,
    (damage) => {
      const file = files[Math.floor(damage.file * files.length)] as string;
      const path = join(copy, file);
      spoil(path, damage);
      try {
        const size = readFileSync(path).length;
        for (const line of looked(copy, { file })) {
          for (const { at, text } of line.damage ?? []) {
            named++;
            assert.ok(Number.isInteger(at) && at >= 0 && at <= size, `${file}: ${at} of ${size}: ${text}`);
            assert.ok(text.length > 0);
          }
        }
        looked(copy, { at: String(store.positions[31]) });
        looked(copy, { at: 'U31' });
        checkStore(readOnlyDisk, copy, { explain: true, json: true }, (line) => JSON.parse(line));
      } finally {
        cpSync(join(store.root, file), path);
      }
    },
    150,
  );
  assert.ok(named > 20, `only ${named} damages were named`);
});

test('a change of what holds a file together is always found', ({ store, copy }) => {
  const log = `commitlog/${'0'.repeat(20)}`;
  const position = store.positions[5] as number;
  const checked = [
    ...Array(8).keys(),
    28,
    29,
    30,
    31,
    32,
    33,
    34,
    35,
    84,
    85,
    86,
    87,
    88,
    300,
    2100,
    2136,
    2143,
    2144,
  ];
  fuzz(
    fc.tuple(fc.constantFrom(...checked), fc.integer({ min: 1, max: 255 })),
    ([at, change]) => {
      const path = join(copy, log);
      const whole = readFileSync(path);
      const before = whole[position + at] as number;
      whole[position + at] = before ^ change;
      writeFileSync(path, whole);
      try {
        const found = looked(copy, { file: log }).flatMap(({ damage = [] }) => damage);
        assert.ok(
          found.length > 0,
          `byte ${at} of a record: ${before} is ${before ^ change}, and nothing is found`,
        );
        const near = found.some((one) => one.at >= position && one.at < position + 2300);
        assert.ok(near, `${JSON.stringify(found)} for byte ${position + at}`);
      } finally {
        cpSync(join(store.root, log), path);
      }
    },
    80,
  );
});

test.run();
