/**
 * A slave: keeps a connection to its master, and has what comes through it appended to its own log. What it cannot go
 * on with (another log, a full disk) ends the connection with a sentence, and is tried again later.
 */
import { APPENDED_OK, NO_SEGMENT } from '../../store/log/commit-log.ts';
import type { ServedLog } from '../master/slave-feed.ts';
import type { ReplicationOptions } from '../options.ts';
import { CommonPoint } from './common-point.ts';
import type { KnownQueues } from './known-queues.ts';
import { type MasterSocket, MasterStream } from './master-stream.ts';
import type { RawPuts } from './raw-puts.ts';
import { RecordCutter, type UnknownQueue } from './record-cutter.ts';

/** Bytes of records that go to the writer together. */
const RUN_BYTES = 64 * 1024;

export interface FollowerParts {
  log: ServedLog;
  options: ReplicationOptions;
  maxRecord: number;
  known: KnownQueues;
  puts: RawPuts;
  crc: (bytes: Uint8Array, offset: number, length: number) => number;
  now: () => number;
  /** End of what is as safe here as the flush mode promises. */
  confirmed: () => number;
  /** Asks control to make a queue known; `known` is told then, and `work` called. */
  ask: (queue: UnknownQueue) => void;
  /** The logs have the same records up to `position`, and others from there on: the own one is to be cut. */
  diverged: (position: number) => void;
  /** The connection is over, and why. */
  ended: (why: string) => void;
}

export class Follower {
  readonly #parts: FollowerParts;
  #stream: MasterStream | undefined;
  #cutter: RecordCutter | undefined;
  #asked: string | undefined;
  readonly #common: CommonPoint;

  constructor(parts: FollowerParts) {
    this.#parts = parts;
    this.#common = new CommonPoint(parts.log);
  }

  /** Where the master's log ends, as it says itself: nothing behind that is there to be compared. */
  masterEndsAt(position: number): void {
    this.#common.masterEnd = position;
  }

  /** Whether a new connection may be made: nothing of the one before is on its way to the log. */
  get ready(): boolean {
    return this.#stream === undefined && this.#parts.puts.idle;
  }

  /** A connection to the master is there. */
  open(socket: MasterSocket): MasterStream {
    const { log, options, now, confirmed } = this.#parts;
    const { fileSize } = log;
    const cutter = new RecordCutter(log.end, { ...this.#parts, fileSize });
    const from = this.#common.begin();
    const stream = new MasterStream({
      ...{ log, cutter, socket, options, now, confirmed, from, proof: this.#common.proof },
      differs: (position) => this.#differs(position),
      arrived: () => this.work(),
      ended: (why) => this.#ended(why),
    });
    this.#cutter = cutter;
    this.#stream = stream;
    this.#asked = undefined;
    stream.begin();
    return stream;
  }

  /** The socket is closed, by whomever. */
  closed(why: string): void {
    if (this.#stream === undefined) return;
    this.#stream.close();
    this.#ended(why);
  }

  /** Moves what has come to the writer, as far as it has room, and tells the master how far the log is. */
  work(): void {
    const { puts } = this.#parts;
    const status = puts.drain();
    const cutter = this.#cutter;
    const stream = this.#stream;
    if (cutter === undefined || stream === undefined) return;
    if (status !== APPENDED_OK) {
      stream.end(whyRefused(status));
      return;
    }
    while (cutter.cut(RUN_BYTES) && puts.put(cutter)) cutter.take();
    puts.publish();
    if (cutter.fault !== undefined) stream.end(cutter.fault);
    else if (cutter.unknown !== undefined) this.#ask(cutter.unknown);
    stream.progress();
  }

  tick(): void {
    this.work();
    this.#stream?.tick();
  }

  #differs(position: number): void {
    const found = this.#common.differs(position);
    if (found.kind === 'cut') this.#parts.diverged(found.at);
    const why = {
      cut: () => `its log has other records than the one here from position ${position} on`,
      earlier: () => `its log differs from the one here at ${position}: comparing from further back`,
      stranger: () =>
        'its log has nothing in common with the one here: another store was put in its place. If the master is ' +
        "right, move this store's commitlog away, and it is copied anew",
    };
    this.#stream?.end(why[found.kind]());
  }

  #ask(queue: UnknownQueue): void {
    const name = `${queue.queueId} ${queue.topic}`;
    if (this.#asked === name) return;
    this.#asked = name;
    this.#parts.ask(queue);
  }

  #ended(why: string): void {
    this.#stream = undefined;
    this.#cutter = undefined;
    this.#parts.ended(why);
  }
}

function whyRefused(status: number): string {
  if (status === NO_SEGMENT) return 'there is no room for its log on this disk: free some space';
  return `what it sent cannot be appended here (status ${status})`;
}
