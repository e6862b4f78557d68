/**
 * The bare loops that a broker is compared with: what the same disk gives to a loop that does nothing else.
 *
 * `append`: copies records of `--bytes` from memory into mapped 1 GiB files, one after the other, the next file made
 * (really allocated) in the background meanwhile, as a CommitLog does. No network, no CRC, no fields, no queues, no
 * index, no flush; the kernel writes back when it wants to. At most `--gibibytes` are written.
 * `write`: the same by one write call a record, as a broker does it that knows what page faults cost.
 * `sync`: writes `--bytes` at the end of one allocated file and waits for fdatasync, again and again.
 *
 * It talks to its parent as the load generator does (phases over IPC, one line of JSON).
 */
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { addon } from '../../src/native/addon.ts';
import { LatencyRecorder, type LoadResult } from '../load/recorder.ts';

const FILE_BYTES = 2 ** 30;
const SYNC_FILE_BYTES = 256 * 2 ** 20;
/** Copies between two looks at the clock and at the event loop. */
const COPIES_AT_ONCE = 256;

interface Loop {
  /** Some operations; returns how many. */
  step(latency: LatencyRecorder | undefined): Promise<number>;
  close(): void;
}

function check(result: number, what: string): number {
  if (result < 0) throw new Error(`${what} failed with errno ${-result}`);
  return result;
}

/** Puts `bytes` of the source region at `offset` of a segment. */
type Put = (region: number, offset: number, source: number, bytes: number) => void;

const PUTS: Record<string, Put> = {
  append: (region, offset, source, bytes) => addon.copy(region, offset, source, 0, bytes),
  write: (region, offset, source, bytes) => {
    check(addon.appendToRegion(region, offset, source, 0, bytes), 'appendToRegion');
  },
};

async function appendLoop(put: Put, folder: string, bytes: number, maxBytes: number): Promise<Loop> {
  const source = check(addon.allocateRegion(bytes), 'allocateRegion');
  new Uint8Array(addon.attach(source)).fill(7);
  let number = 0;
  let offset = 0;
  const file = (index: number): string => path.join(folder, `bare-${index}`);
  await addon.prepareSegment(file(0), FILE_BYTES);
  let next = addon.prepareSegment(file(1), FILE_BYTES);
  let region = check(addon.openSegment(file(0), FILE_BYTES, true), 'openSegment');
  return {
    async step() {
      let done = 0;
      for (; done < COPIES_AT_ONCE; done++) {
        if (number * FILE_BYTES + offset >= maxBytes) return done;
        if (offset + bytes > FILE_BYTES) {
          check(await next, 'prepareSegment');
          addon.closeRegion(region);
          region = check(addon.openSegment(file(++number), FILE_BYTES, true), 'openSegment');
          next = addon.prepareSegment(file(number + 1), FILE_BYTES);
          offset = 0;
        }
        put(region, offset, source, bytes);
        offset += bytes;
      }
      await new Promise((resolve) => setImmediate(resolve));
      return done;
    },
    close: () => addon.closeRegion(region),
  };
}

async function syncLoop(folder: string, bytes: number): Promise<Loop> {
  const file = path.join(folder, 'bare-sync');
  check(await addon.prepareSegment(file, SYNC_FILE_BYTES), 'prepareSegment');
  const descriptor = fs.openSync(file, 'r+');
  const source = new Uint8Array(bytes).fill(7);
  let offset = 0;
  return {
    async step(latency) {
      if (offset + bytes > SYNC_FILE_BYTES) offset = 0;
      const from = performance.now();
      fs.writeSync(descriptor, source, 0, bytes, offset);
      fs.fdatasyncSync(descriptor);
      latency?.record((performance.now() - from) * 1000);
      offset += bytes;
      return 1;
    },
    close: () => fs.closeSync(descriptor),
  };
}

function askParent(phase: string): Promise<void> {
  if (!process.connected) return Promise.resolve();
  return new Promise((resolve) => {
    process.once('message', () => resolve());
    process.send?.({ phase });
  });
}

async function runFor(seconds: number, loop: Loop, latency?: LatencyRecorder): Promise<LoadResult> {
  const cpu = process.cpuUsage();
  const from = performance.now();
  let messages = 0;
  while (performance.now() - from < seconds * 1000) {
    const done = await loop.step(latency);
    messages += done;
    if (done === 0) break;
  }
  const took = (performance.now() - from) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return {
    messages,
    seconds: took,
    rate: Math.round(messages / took),
    p50: latency?.percentile(50) ?? Number.NaN,
    p99: latency?.percentile(99) ?? Number.NaN,
    p999: latency?.percentile(99.9) ?? Number.NaN,
    max: latency?.maximum ?? Number.NaN,
    errors: 0,
    errorCodes: {},
    unexpectedReplies: 0,
    unanswered: 0,
    warmupErrors: 0,
    cpuMicrosPerMessage: (user + system) / Math.max(1, messages),
  };
}

const { values } = parseArgs({
  options: {
    loop: { type: 'string', default: 'append' },
    bytes: { type: 'string', default: '1224' },
    seconds: { type: 'string', default: '5' },
    gibibytes: { type: 'string', default: '12' },
    folder: { type: 'string', default: '.' },
  },
});
fs.mkdirSync(values.folder, { recursive: true });
const [bytes, seconds] = [Number(values.bytes), Number(values.seconds)];
const isSync = values.loop === 'sync';
const loop = await (isSync
  ? syncLoop(values.folder, bytes)
  : appendLoop(PUTS[values.loop] as Put, values.folder, bytes, Number(values.gibibytes) * 2 ** 30));
if (isSync) await runFor(0.5, loop);
await askParent('measuring');
const result = await runFor(seconds, loop, isSync ? new LatencyRecorder() : undefined);
await askParent('draining');
loop.close();
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(0);
