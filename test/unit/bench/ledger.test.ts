import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Ledger } from '../../../bench/load/ledger.ts';
import {
  addExpected,
  decodeLedger,
  encodeLedger,
  ledgerToExtend,
  readLedger,
  writeLedger,
} from '../../../bench/load/ledger-file.ts';
import { keyPrefix } from '../../../bench/load/unique-key.ts';

function key(run: number, connection: number, counter: number): Buffer {
  const digits = counter.toString(16).toUpperCase().padStart(8, '0');
  return Buffer.from(keyPrefix(run, connection) + digits, 'latin1');
}

function see(ledger: Ledger, run: number, connection: number, counter: number, pass = 1): boolean {
  const bytes = Buffer.concat([Buffer.from('xy'), key(run, connection, counter)]);
  return ledger.see(bytes, 2, 32, pass) !== undefined;
}

/** Run 3, connections 0 and 1, ten keys each, all acknowledged. */
function twenty(): Ledger {
  const ledger = new Ledger();
  addExpected(ledger, [{ run: 3, connections: 2, count: 10 }]);
  return ledger;
}

test('all seen once: nothing to complain of', () => {
  const ledger = twenty();
  for (let counter = 0; counter < 10; counter++) {
    assert.ok(see(ledger, 3, 1, counter));
    assert.ok(see(ledger, 3, 0, counter));
  }
  assert.equal([ledger.missing, ledger.duplicates, ledger.foreign], [0, 0, 0]);
});

test('a message that does not come is missing', () => {
  const ledger = twenty();
  for (let counter = 0; counter < 10; counter++) {
    see(ledger, 3, 0, counter);
    if (counter !== 7) see(ledger, 3, 1, counter);
  }
  assert.equal([ledger.missing, ledger.duplicates, ledger.foreign], [1, 0, 0]);
});

test('a message that comes twice is a duplicate and hides no loss', () => {
  const ledger = twenty();
  for (let counter = 0; counter < 9; counter++) see(ledger, 3, 0, counter);
  assert.not.ok(see(ledger, 3, 0, 8));
  assert.equal([ledger.missing, ledger.duplicates], [11, 1]);
});

test('every pass may see a message once, and only once', () => {
  const ledger = twenty();
  for (const pass of [1, 2, 3]) assert.ok(see(ledger, 3, 0, 5, pass));
  assert.not.ok(see(ledger, 3, 0, 5, 3));
  assert.is(ledger.duplicates, 1);
  assert.is(ledger.missing, 19);
  assert.not.ok(see(ledger, 3, 0, 5, 1), 'another part of the topic has it too');
});

test('pass numbers go on past what a key can remember', () => {
  const ledger = twenty();
  for (let pass = 1; pass < 70_000; pass++) assert.ok(see(ledger, 3, 0, 0, pass), `pass ${pass}`);
  assert.not.ok(see(ledger, 3, 0, 0, 69_999));
});

test('keys that nobody sent are foreign', () => {
  const ledger = twenty();
  assert.not.ok(see(ledger, 4, 0, 0), 'another run');
  assert.not.ok(see(ledger, 3, 2, 0), 'another connection');
  assert.not.ok(see(ledger, 3, 0, 10), 'not used yet');
  assert.not.ok(see(ledger, 0xffffffff, 0xffffffff, 0xffffffff));
  const other = Buffer.from('7F000002000000030000000000000001');
  assert.is(ledger.see(other, 0, 32, 1), undefined);
  assert.is(ledger.see(other, 0, 31, 1), undefined, 'another length');
  assert.is(ledger.see(Buffer.from('no key of ours, but 32 characters'), 0, 32, 1), undefined);
  assert.is(ledger.see(other, -1, 0, 1), undefined, 'no key at all');
  assert.is(ledger.foreign, 8);
});

test('sent and not acknowledged: may come, may stay away', () => {
  const ledger = new Ledger();
  const keys = ledger.open(1, 0);
  keys.sent = 3;
  keys.acknowledge(0, 1);
  assert.is(ledger.missing, 1);
  assert.ok(see(ledger, 1, 0, 2), 'it came although nobody vouched for it');
  assert.is(ledger.missing, 1);
  keys.acknowledge(2, 1);
  assert.is(ledger.missing, 1, 'seen before its acknowledgement');
  see(ledger, 1, 0, 0);
  assert.equal([ledger.missing, ledger.duplicates, ledger.foreign], [0, 0, 0]);
});

test('the file keeps what was acknowledged and what was not', () => {
  const ledger = new Ledger();
  const keys = ledger.open(9, 4);
  keys.sent = 100_000;
  keys.acknowledge(0, 50_000);
  keys.acknowledge(50_003, 10_000);
  keys.acknowledge(99_999, 1);
  const read = decodeLedger(encodeLedger(ledger));
  assert.is(read.missing, 60_001);
  assert.is(encodeLedger(read), encodeLedger(ledger));
  const [back] = [...read.all()];
  assert.equal([back?.run, back?.connection, back?.sent], [9, 4, 100_000]);
  for (const [counter, expected] of [
    [49_999, true],
    [50_000, false],
    [50_002, false],
    [50_003, true],
    [60_002, true],
    [60_003, false],
    [99_999, true],
  ] as const) {
    assert.is(back?.isAcknowledged(counter), expected, `counter ${counter}`);
  }
});

test('several runs share a file; the same run twice is refused', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ledger-'));
  const file = path.join(folder, 'ledger.json');
  try {
    for (const run of [1, 2]) {
      const ledger = ledgerToExtend(file, run);
      addExpected(ledger, [{ run, connections: 1, count: 5 }]);
      writeLedger(file, ledger);
    }
    assert.is(readLedger(file).missing, 10);
    assert.throws(() => ledgerToExtend(file, 2), /run 2 is in it already/);
    fs.writeFileSync(file, '{"keys":[]}');
    assert.throws(() => readLedger(file), /no ringmq-ledger-1/);
    assert.throws(() => readLedger(path.join(folder, 'none')), /ENOENT/);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});

test.run();
