/** Lab: records from one thread to another by a ring, by their size and by how many are shown at once. */
import { Worker } from 'node:worker_threads';
import { addon } from '../../src/native/addon.ts';
import { createRing, FULL, RingProducer } from '../../src/ring/spsc-ring.ts';
import { createWake, wakerOf } from '../../src/ring/wake.ts';
import { type Case, type Figures, type Lab, type Scale, scaled } from './lib/lab.ts';
import { RING_STOP, type RingReaderData } from './threads/ring-reader-data.ts';

const CAPACITY = 4 << 20;
const SIZES = [64, 1024, 4096];
const BATCHES = [1, 32, 256];
const RECORDS = 120_000;
const MESSAGES = 12_000;
const MESSAGE_BATCH = 32;
const WAIT_MS = 10_000;

const BY_MESSAGE = `postMessage, ${MESSAGE_BATCH} at once`;
const byRing = (batch: number): string => `ring, published by ${batch}`;
const placeOf = (bytes: number): string => `${bytes} B`;

function figuresOf(millis: number, records: number, bytes: number): Figures {
  const nanos = (millis * 1e6) / records;
  return { nanos, rate: 1e9 / nanos, bytes: (bytes * 1e9) / nanos / (1 << 20) };
}

interface Link {
  producer: RingProducer;
  stop: () => Promise<void>;
}

function startReader(): Link {
  const ring = createRing(CAPACITY);
  const wake = createWake('park');
  const workerData: RingReaderData = { ring, wake };
  const worker = new Worker(new URL('./threads/ring-reader.thread.js', import.meta.url), { workerData });
  const producer = RingProducer.join(ring, wakerOf(wake));
  return {
    producer,
    stop: async () => {
      producer.claim(RING_STOP, 0);
      producer.commit();
      producer.publish();
      await new Promise((resolve) => worker.once('exit', resolve));
      addon.detach(ring.region);
      addon.closeRegion(ring.region);
    },
  };
}

/** Waits until the reader has taken all, or says that it does not. */
function awaitEmpty(producer: RingProducer): void {
  const until = performance.now() + WAIT_MS;
  while (producer.used > 0) {
    addon.yieldProcessor();
    if (performance.now() > until) throw new Error('the reader of the ring has stopped');
  }
}

function send(producer: RingProducer, record: Uint8Array, records: number, batch: number): void {
  for (let sent = 0; sent < records; ) {
    for (let n = 0; n < batch && sent < records; n++) {
      const at = producer.claim(1, record.length);
      if (at === FULL) break;
      producer.bytes.set(record, at);
      producer.commit();
      sent++;
    }
    producer.publish();
    if (producer.used > CAPACITY / 2) addon.yieldProcessor();
  }
  awaitEmpty(producer);
}

function ringCase({ producer }: Link, bytes: number, batch: number, records: number): Case {
  const record = new Uint8Array(bytes).fill(7);
  return {
    place: placeOf(bytes),
    way: byRing(batch),
    measure: () => {
      const from = performance.now();
      send(producer, record, records, batch);
      return figuresOf(performance.now() - from, records, bytes);
    },
  };
}

interface Port {
  worker: Worker;
  counted: Int32Array;
}

function startPort(): Port {
  const counted = new Int32Array(new SharedArrayBuffer(64));
  const worker = new Worker(new URL('./threads/port-reader.thread.js', import.meta.url), {
    workerData: counted.buffer,
  });
  return { worker, counted };
}

function awaitCount(counted: Int32Array, wanted: number): void {
  for (let seen = Atomics.load(counted, 0); seen < wanted; seen = Atomics.load(counted, 0)) {
    if (Atomics.wait(counted, 0, seen, WAIT_MS) === 'timed-out')
      throw new Error('the reader of messages has stopped');
  }
}

function portCase({ worker, counted }: Port, bytes: number, records: number): Case {
  const batch = Array.from({ length: MESSAGE_BATCH }, () => new Uint8Array(bytes).fill(7));
  return {
    place: placeOf(bytes),
    way: BY_MESSAGE,
    measure: () => {
      Atomics.store(counted, 0, 0);
      const from = performance.now();
      let sent = 0;
      for (; sent < records; sent += batch.length) worker.postMessage(batch);
      awaitCount(counted, sent);
      return figuresOf(performance.now() - from, sent, bytes);
    },
  };
}

function casesFor(bytes: number, link: Link, port: Port, scale: Scale): Case[] {
  return [
    ...BATCHES.map((batch) => ringCase(link, bytes, batch, scaled(scale, RECORDS, 256))),
    portCase(port, bytes, scaled(scale, MESSAGES, MESSAGE_BATCH)),
  ];
}

export const lab: Lab = {
  title: 'A ring between two threads',
  hypothesis:
    'Through shared memory a record costs little more than copying it once, if many are shown to the other side by one ' +
    'store. Shown one by one, each takes a cache line from the other core, and where the reader has fallen asleep a ' +
    'wake-up. A message by `postMessage` is serialized, queued and deserialized, which costs a multiple.',
  experiment:
    'This thread writes records into a ring of 4 MiB, publishes them singly, by 32 or by 256, and waits until the other ' +
    'thread has stepped over all and given them back. The reader looks for some 200 turns before it sleeps. For comparison ' +
    'the same records go by `postMessage`, as an array of 32.',
  reading:
    'Compare the batches within a size: the more a record weighs, the less the publishing matters. On a machine of two ' +
    'processors that others use as well the two threads do not always run at the same time; a wide spread shows that.',
  uses: [
    {
      file: 'src/ring/spsc-ring.ts',
      symbol: 'RingProducer',
      what: 'claim, commit, and publish once per batch',
    },
    {
      file: 'src/ring/channel.ts',
      symbol: 'ChannelSender',
      what: 'a ring with places for what is too large for it',
    },
    {
      file: 'src/threads/topology.ts',
      symbol: 'createRing',
      what: 'which rings there are: one for each sender and receiver',
    },
  ],
  places: 'record',
  columns: [
    { key: 'nanos', title: 'ns a record' },
    { key: 'rate', title: 'records a second' },
    { key: 'bytes', title: 'MiB a second' },
  ],
  chart: { column: 'nanos', logarithmic: true },
  bytes: () => 0,
  open({ scale }) {
    const link = startReader();
    const port = startPort();
    return {
      cases: SIZES.flatMap((bytes) => casesFor(bytes, link, port, scale)),
      close: async () => {
        await link.stop();
        await port.worker.terminate();
      },
    };
  },
  findings: [
    (look) => {
      const times = look('64 B', byRing(1), 'nanos') / look('64 B', byRing(32), 'nanos');
      return `64 B: publishing each record took ${times.toFixed(1)} times as long as publishing by 32`;
    },
    (look) => {
      const times = look('1024 B', BY_MESSAGE, 'nanos') / look('1024 B', byRing(32), 'nanos');
      return `1 KiB: postMessage took ${times.toFixed(0)} times as long as the ring, both by 32`;
    },
  ],
};
