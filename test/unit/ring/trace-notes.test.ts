/** Notes of threads, and looking at rings of others. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RECORD_HEADER_BYTES } from '../../../src/ring/layout.ts';
import { RingTap } from '../../../src/ring/ring-tap.ts';
import { createRing, RingConsumer, RingProducer } from '../../../src/ring/spsc-ring.ts';
import {
  createTrace,
  MAX_NOTED_BYTES,
  NOTE_FRAME,
  NOTE_ROUND,
  TraceNotes,
  TraceReader,
} from '../../../src/ring/trace-notes.ts';

const test = suite('notes of a trace');

test('notes come as they were made, by thread', () => {
  const trace = createTrace(['writer', 'network-0']);
  const reader = new TraceReader(trace);
  const writer = new TraceNotes(trace['writer'] as NonNullable<(typeof trace)[string]>);
  const network = new TraceNotes(trace['network-0'] as NonNullable<(typeof trace)[string]>);
  writer.add(NOTE_ROUND, 1.5, 2.5, [1, 2 ** 50]);
  network.add(NOTE_FRAME, 3, 4, [], Uint8Array.of(9, 8, 7));
  assert.equal(
    reader.take().map(({ bytes, ...note }) => ({ ...note, bytes: [...bytes] })),
    [
      { thread: 'writer', kind: NOTE_ROUND, began: 1.5, ended: 2.5, numbers: [1, 2 ** 50], bytes: [] },
      { thread: 'network-0', kind: NOTE_FRAME, began: 3, ended: 4, numbers: [], bytes: [9, 8, 7] },
    ],
  );
  assert.equal(reader.take(), []);
});

test('what finds no room is left out, and notes go on when there is room again', () => {
  const trace = createTrace(['writer']);
  const reader = new TraceReader(trace);
  const notes = new TraceNotes(trace['writer'] as NonNullable<(typeof trace)[string]>);
  const much = new Uint8Array(2 * MAX_NOTED_BYTES);
  for (let i = 0; i < 100; i++) notes.add(NOTE_FRAME, i, i, [], much);
  const taken = reader.take();
  assert.ok(taken.length > 2 && taken.length < 100);
  assert.ok(
    taken.every(({ bytes }) => bytes.length === MAX_NOTED_BYTES),
    'long bytes are cut',
  );
  assert.equal(
    taken.map(({ began }) => began),
    taken.map((_, i) => i),
  );
  notes.add(NOTE_ROUND, 7, 7, []);
  assert.is(reader.take()[0]?.kind, NOTE_ROUND);
});

test('a tap sees the records of a ring on either side, over its end too', () => {
  const shape = createRing(4096);
  const producer = RingProducer.join(shape, () => {});
  const consumer = RingConsumer.join(shape, () => {});
  const published = new RingTap(shape, 'tail');
  const released = new RingTap(shape, 'head');
  for (let i = 0; i < 50; i++) {
    const length = 100 + i;
    const at = producer.claim(5, length);
    producer.bytes.fill(i, at, at + length);
    producer.commit();
    producer.publish();
    const [record, ...others] = published.take();
    assert.equal(others, []);
    assert.is(record?.bytes.length, RECORD_HEADER_BYTES + length);
    assert.ok(record?.bytes.subarray(RECORD_HEADER_BYTES).every((byte) => byte === i));
    assert.equal(released.take(), [], 'nobody has taken it');
    assert.ok(consumer.next());
    consumer.release();
    assert.equal(released.take(), [record]);
  }
});

test.run();
