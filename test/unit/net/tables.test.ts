/** What a network thread keeps in flat tables: sends under way, connections, output buffers, addresses. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { addressBytes, formatHost, plainAddress } from '../../../src/net/addresses.ts';
import { ConnectionTable } from '../../../src/net/connection-table.ts';
import { OutputPool } from '../../../src/net/output-pool.ts';
import { PendingSends } from '../../../src/net/pending-sends.ts';
import { fakeConnection } from '../../support/fake-connection.ts';

const test = suite('network tables');

test('sends under way: full at capacity, through the wrap of the numbers', () => {
  const sends = new PendingSends(4);
  for (const start of [0, 0x7ffffffe, -2]) {
    sends.head = start;
    sends.answered = start;
    sends.tail = start;
    for (let i = 0; i < 4; i++) {
      assert.equal([sends.size, sends.full], [i, false]);
      sends.tail = (sends.tail + 1) | 0;
    }
    assert.equal([sends.size, sends.full], [4, true]);
    const places = [0, 1, 2, 3].map((i) => sends.indexOf((start + i) | 0));
    assert.equal([...new Set(places)].sort(), [0, 1, 2, 3]);
  }
  assert.throws(() => new PendingSends(3), /no power of two/);
});

test('unique keys of any length are kept and forgotten', () => {
  const sends = new PendingSends(4);
  const target = Buffer.alloc(300);
  for (const length of [0, 1, 64, 65, 200, 32]) {
    const key = Buffer.from('k'.repeat(length));
    sends.setKey(2, Buffer.concat([Buffer.from('..'), key]), 2, length);
    assert.is(sends.copyKey(2, target, 5), length);
    assert.ok(target.subarray(5, 5 + length).equals(key));
    sends.batchSizes.set(2, new Int32Array(1));
    sends.clear(2);
    assert.equal([sends.keyLength[2], sends.longKeys.size, sends.batchSizes.size], [0, 0, 0]);
  }
});

test('a slot is used again under another generation', () => {
  const table = new ConnectionTable();
  const add = () => table.add((slot, generation) => fakeConnection(slot, generation).connection);
  const first = add();
  const second = add();
  assert.is(table.get(first.slot, first.generation), first);
  table.remove(first);
  table.remove(first);
  assert.equal([table.size, table.get(first.slot, first.generation)], [1, undefined]);
  const third = add();
  assert.is(third.slot, first.slot);
  assert.not(third.generation === first.generation);
  assert.is(table.get(first.slot, first.generation), undefined);
  table.remove(first);
  assert.equal([...table.all()], [third, second]);
});

test('output grows without losing what was written, trims, and leaves in one write', () => {
  const { connection, replies } = fakeConnection();
  const frame = (length: number, fill: number) => {
    const text = `{"code":${fill}}`;
    const bytes = Buffer.alloc(8 + text.length + length, fill);
    bytes.writeInt32BE(bytes.length - 4, 0);
    bytes.writeInt32BE(text.length, 4);
    bytes.write(text, 8);
    return bytes;
  };
  const sizes = [10, 20_000, 600_000, 5, 1_000_000];
  for (const [i, size] of sizes.entries()) {
    connection.append(frame(size, i + 1));
    connection.trim(connection.reserve(1000));
  }
  const received = replies();
  assert.equal(
    received.map(({ code, body }) => [code, body?.length]),
    sizes.map((size, i) => [i + 1, size]),
  );
  assert.ok(received.every(({ code, body }) => body?.every((byte) => byte === code)));
  assert.equal(replies(), []);
});

test('nothing is written to a connection that has closed', () => {
  const { connection, replies } = fakeConnection();
  connection.append(Buffer.alloc(10));
  connection.closed = true;
  assert.equal(replies(), []);
});

test('buffers come back from the pool by size, not too many, and huge ones are let go', () => {
  const pool = new OutputPool();
  for (const bytes of [1, 16 * 1024, 16 * 1024 + 1, 100_000, 512 * 1024]) {
    const buffer = pool.take(bytes);
    assert.ok(buffer.length >= bytes);
    pool.give(buffer);
    assert.is(pool.take(bytes), buffer);
  }
  const huge = pool.take(512 * 1024 + 1);
  pool.give(huge);
  assert.not(pool.take(512 * 1024 + 1) === huge);
  const many = Array.from({ length: 100 }, () => pool.take(40_000));
  assert.ok(many.every((buffer) => buffer.length === 64 * 1024));
  for (const buffer of many) pool.give(buffer);
  const again = Array.from({ length: 100 }, () => pool.take(40_000));
  assert.is(again.filter((buffer) => many.includes(buffer)).length, 32, '2 MiB of each size are kept');
  pool.give(Buffer.alloc(20_000));
  assert.is(pool.take(20_000).length, 32 * 1024, 'a buffer of another size is not taken in');
});

test('addresses', () => {
  const hex = (address: string) => Buffer.from(addressBytes(address)).toString('hex');
  assert.is(hex('10.0.0.1'), '0a000001');
  assert.is(hex('::ffff:10.0.0.1'), '0a000001', 'an IPv4 peer of a dual-stack socket');
  assert.is(hex('::1'), `${'00'.repeat(15)}01`);
  assert.is(hex('fe80::1%eth0'), 'fe800000000000000000000000000001');
  assert.is(hex('2001:db8:1:2:3:4:5:6'), '20010db8000100020003000400050006');
  assert.is(hex('64:ff9b::1.2.3.4'), '0064ff9b000000000000000001020304');
  for (const bad of ['', '1.2.3', '1.2.3.256', 'host', '1:2:3']) assert.throws(() => addressBytes(bad), bad);
  assert.is(plainAddress('::FFFF:1.2.3.4'), '1.2.3.4');
  assert.equal([formatHost('::ffff:1.2.3.4', 5), formatHost('::1', 5)], ['1.2.3.4:5', '[::1]:5']);
});

test.run();
