/** Lab: what it costs to make records durable, by the number of them that share a sync. */
import { closeSync, constants, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { addon } from '../../src/native/addon.ts';
import { attachBulk } from '../../src/ring/bulk.ts';
import { APPENDED, FLUSHED } from '../../src/ring/positions.ts';
import { APPENDED_OK } from '../../src/store/log/commit-log.ts';
import { Flusher } from '../../src/store/log/flusher.ts';
import { LOG_FILE_BYTES, openLog, queueIdOf, sampleRecord } from '../micro/fixtures.ts';
import { median } from '../rocketmq/statistics.ts';
import { type Case, check, type Figures, type Lab, type Scale, scaled } from './lib/lab.ts';

const RECORD = 1024;
const BATCHES = [1, 8, 64, 512];
/** In a round, of each case: so few that no file is written twice, as a log's room is not. */
const SYNCS = 24;
/** Of groups of so many records a third. */
const MANY = 512;
const FILE_MIB = 64;

const STORES = 'stores, fdatasync';
const FDATASYNC = 'write call, fdatasync';
const O_DSYNC = 'write call with O_DSYNC';
const FLUSHER = 'CommitLog and Flusher';

const fileBytes = (scale: Scale): number => scaled(scale, FILE_MIB) << 20;

/** Appends so many records and makes them durable; called again and again. */
type Commit = (records: number) => void;

interface Place {
  /** Where the next batch goes. */
  next: (bytes: number) => number;
}

/** One behind the other, and from the beginning again when the file is full. */
function placeIn(bytes: number): Place {
  let at = 0;
  return {
    next(length) {
      if (at + length > bytes) at = 0;
      const from = at;
      at += length;
      return from;
    },
  };
}

function byStores(path: string, size: number): Commit {
  const region = check(addon.openSegment(path, size, true), 'openSegment');
  const bytes = new Uint8Array(addon.attach(region));
  const record = new Uint8Array(RECORD).fill(7);
  const place = placeIn(size);
  return (records) => {
    const from = place.next(records * RECORD);
    for (let i = 0; i < records; i++) bytes.set(record, from + i * RECORD);
    check(addon.syncRegion(region, from, from + records * RECORD), 'syncRegion');
  };
}

function byWrite(path: string, size: number, flags: number, sync: (descriptor: number) => void): Commit {
  addon.closeRegion(check(addon.openSegment(path, size, true), 'openSegment'));
  const descriptor = openSync(path, constants.O_WRONLY | flags);
  process.once('exit', () => closeSync(descriptor));
  const records = new Uint8Array(RECORD * Math.max(...BATCHES)).fill(7);
  const place = placeIn(size);
  return (count) => {
    writeSync(descriptor, records, 0, count * RECORD, place.next(count * RECORD));
    sync(descriptor);
  };
}

/** The broker's own writer and flusher, without their threads. */
function byFlusher(folder: string): Commit {
  const bench = openLog(folder);
  const { log, positions } = bench;
  const flusher = new Flusher(bench.segments, positions);
  const record = sampleRecord(1);
  const source = attachBulk(addon.allocateRegion(2 * RECORD));
  source.bytes.set(record);
  return (records) => {
    // Again from the beginning: the file's room is bounded.
    if (log.position + (records + 1) * record.length > LOG_FILE_BYTES) {
      log.position = 0;
      positions.set(APPENDED, 0);
      positions.set(FLUSHED, 0);
    }
    for (let i = 0; i < records; i++) {
      if (log.append(source, 0, record.length, queueIdOf(i & 3)) !== APPENDED_OK)
        throw new Error('not appended');
    }
    log.publish();
    flusher.doWork();
    if (positions.halted) throw new Error('the sync failed');
  };
}

function caseOf(batch: number, way: string, syncs: number, commit: Commit): Case {
  const measure = (): Figures => {
    const times: number[] = [];
    for (let i = 0; i < syncs; i++) {
      const from = performance.now();
      commit(batch);
      times.push((performance.now() - from) * 1000);
    }
    const commitMicros = median(times);
    return { record: commitMicros / batch, commit: commitMicros, rate: (1e6 * batch) / commitMicros };
  };
  return { place: `${batch} a sync`, way, measure };
}

export const lab: Lab = {
  title: 'Making records durable: stores, write calls and group commit',
  hypothesis:
    'A sync costs nearly the same for one record and for a hundred: what the device does for it does not depend on the ' +
    'bytes. So whoever waits for a sync should share it with all that came meanwhile, and which call makes the sync ' +
    'matters little beside that.',
  experiment:
    'Records of 1 KiB are put one behind the other into a file of 64 MiB and made durable in groups of 1 to 512: by ' +
    "stores into a mapping and `fdatasync`, by one `pwrite` and `fdatasync`, by one `pwrite` to a file opened with O_DSYNC, and by the broker's own " +
    'CommitLog and Flusher. The time of a group is the median of those of a round.',
  reading:
    'Read down a way: the time of a commit hardly grows while that of a record falls with the size of its group. The ' +
    "broker's row holds all else that it does for a record too (fields, CRC, queue offset). A device that " +
    'acknowledges before it has written, as many virtual ones do, makes all of these faster than a real disk would.',
  uses: [
    {
      file: 'src/store/log/flusher.ts',
      symbol: 'Flusher',
      what: 'a group is all that was appended while the sync before it ran: it grows with the load by itself',
    },
    {
      file: 'src/store/log/flusher-agent.ts',
      symbol: 'FlusherAgent',
      what: 'the thread that runs it; under ASYNC_FLUSH every 500 ms',
    },
    {
      file: 'src/broker/send/acknowledge.ts',
      symbol: 'Acknowledger',
      what: 'answers wait for a position, not for a sync of their own: one sync releases a whole group',
    },
    {
      file: 'native/region_sync.cc',
      symbol: 'syncRegion',
      what: 'the fdatasync, and what is looked at around it',
    },
  ],
  places: 'records',
  columns: [
    { key: 'record', title: 'µs a record' },
    { key: 'commit', title: 'µs a commit' },
    { key: 'rate', title: 'records a second' },
  ],
  chart: { column: 'record', logarithmic: true },
  bytes: (scale) => 3 * fileBytes(scale) + LOG_FILE_BYTES,
  open({ folder, scale }) {
    const syncs = scaled(scale, SYNCS, 3);
    const size = fileBytes(scale);
    const ways: [string, Commit][] = [
      [STORES, byStores(join(folder, 'stores'), size)],
      [FDATASYNC, byWrite(join(folder, 'fdatasync'), size, 0, fdatasyncSync)],
      [O_DSYNC, byWrite(join(folder, 'dsync'), size, constants.O_DSYNC, () => {})],
      [FLUSHER, byFlusher(join(folder, 'flusher'))],
    ];
    const of = (batch: number) => (batch < MANY ? syncs : Math.ceil(syncs / 3));
    return {
      cases: BATCHES.flatMap((batch) => ways.map(([way, commit]) => caseOf(batch, way, of(batch), commit))),
    };
  },
  findings: [
    (look) => {
      const times = look('64 a sync', FLUSHER, 'commit') / look('1 a sync', FLUSHER, 'commit');
      const record = look('1 a sync', FLUSHER, 'record') / look('64 a sync', FLUSHER, 'record');
      return `the broker's commit of 64 records took ${times.toFixed(1)} times as long as that of one: ${record.toFixed(0)} times less a record`;
    },
    (look) => {
      const times = look('64 a sync', STORES, 'commit') / look('64 a sync', FDATASYNC, 'commit');
      return `64 records: stores took ${times.toFixed(2)} times as long to be made durable as a write call`;
    },
  ],
};
