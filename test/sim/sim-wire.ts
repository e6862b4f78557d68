/**
 * A connection between a master and its slave as a bad network has it: bytes arrive late, in order and cut anywhere;
 * an end that closes is heard of behind its last bytes; and a wire that falls silent carries nothing any more, while
 * both ends think that it is there (a cable that is pulled, a machine without power).
 */
import type { SlaveFeed } from '../../src/replication/master/slave-feed.ts';
import type { MasterStream } from '../../src/replication/slave/master-stream.ts';
import type { Random } from '../support/random.ts';
import type { SimReplica } from './sim-replica.ts';

/** Bytes on their way in one direction. */
export class SimWire {
  isSilent = false;
  /** When the other side hears that this one has closed it. */
  endsAt = Number.POSITIVE_INFINITY;
  #parts: { at: number; bytes: Buffer }[] = [];

  /** They arrive at `at`, or with what was sent before them. */
  send(bytes: Uint8Array, at: number): void {
    this.#parts.push({ at, bytes: Buffer.from(bytes) });
  }

  /** Some of what has arrived, cut anywhere. */
  some(now: number, random: Random): Buffer {
    if (this.isSilent) return Buffer.alloc(0);
    const late = this.#parts.findIndex(({ at }) => at > now);
    const arrived = this.#parts.splice(0, late < 0 ? this.#parts.length : late);
    const all = Buffer.concat(arrived.map(({ bytes }) => bytes));
    const taken = random.chance(0.5) ? all.length : random.int(0, all.length);
    if (taken < all.length) this.#parts.unshift({ at: now, bytes: all.subarray(taken) });
    return all.subarray(0, taken);
  }

  /** Whether the other side has heard of the end. */
  hasEnded(now: number): boolean {
    return !this.isSilent && this.#parts.length === 0 && this.endsAt <= now;
  }

  /** What is under way is lost, as when a connection is reset. */
  drop(): void {
    this.#parts = [];
  }
}

/** One connection. Its ends close one after the other. */
export class SimLink {
  readonly down = new SimWire();
  readonly up = new SimWire();
  readonly master: SimReplica;
  readonly slave: SimReplica;
  feed: SlaveFeed | undefined;
  stream: MasterStream | undefined;
  /** The slave does not read. */
  isPaused = false;
  /** What the master hears when the kernel has taken what it has sent. */
  taken: (() => void)[] = [];
  /** Where the slave wanted to begin; -1 before it has said so. */
  requested = -1;
  /** The slave's log was found to be the master's up to here. */
  compared = 0;
  readonly #processes: { master: number; slave: number };
  readonly #isOpen = { master: true, slave: true };

  constructor(master: SimReplica, slave: SimReplica) {
    this.master = master;
    this.slave = slave;
    this.#processes = { master: master.process, slave: slave.process };
  }

  get isOver(): boolean {
    return !this.#isOpen.master && !this.#isOpen.slave;
  }

  /** Whether the process that is the master's end runs. */
  get isOfMaster(): boolean {
    return this.master.isUp && this.master.process === this.#processes.master;
  }

  /** Whether the replica's process has this connection open. */
  isOpenAt(replica: SimReplica): boolean {
    if (replica === this.master) return this.#isOpen.master && replica.process === this.#processes.master;
    if (replica === this.slave) return this.#isOpen.slave && replica.process === this.#processes.slave;
    return false;
  }

  /** The replica's end is closed; the other may hear of it at `at`. */
  close(replica: SimReplica, at: number): void {
    if (replica === this.master) {
      this.#isOpen.master = false;
      this.down.endsAt = at;
    } else {
      this.#isOpen.slave = false;
      this.up.endsAt = at;
    }
  }

  silence(): void {
    this.down.isSilent = true;
    this.up.isSilent = true;
  }
}
