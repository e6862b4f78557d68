/**
 * Memory that clients with large frames have made a server process grow to, and that it need not keep for good: the
 * heap of its main thread, whose young generation V8 makes smaller only when it collects garbage while little is
 * allocated, which an idle thread never does by itself; and what glibc keeps of freed blocks.
 *
 * A program that embeds a broker decides that itself.
 */
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { addon } from '../native/addon.ts';

/** glibc gives larger blocks back at once: a broker that was asked for many large pulls stayed at 196 MiB, not 71. */
const LARGE_BLOCK_BYTES = 128 * 1024;
const LOOK_MS = 10_000;
/** Growth from which on a look is followed by work. A collection takes as long as what is alive is large. */
const MUCH_BYTES = 16 * 1024 * 1024;
const MUCH_SHARE = 0.5;
/** A small heap is collected in some 10 ms, which a thread with this little to do can spare now and then. */
const IDLE_UTILIZATION = 0.3;
/** The first one frees what is garbage, the second one finds that little is allocated. */
const COLLECTIONS = 2;

export interface ProcessMemory {
  /** Share of the time since the last call for which the thread was busy. */
  utilization(): number;
  /** Bytes that V8 holds for the thread, in its heap and outside of it. */
  held(): number;
  collect(): void;
  /** Bytes of the process in memory; undefined when the system does not say: it has to open a file for that. */
  resident(): number | undefined;
  /** Gives back what glibc keeps. */
  trim(): Promise<unknown>;
}

export class IdleMemory {
  readonly #memory: ProcessMemory;
  #collectedTo: number;
  #collections = 0;
  #trimmedTo = 0;

  constructor(memory: ProcessMemory) {
    this.#memory = memory;
    this.#collectedTo = memory.held();
    memory.utilization();
  }

  /** Looks every ten seconds until the process ends or the timer is cleared. */
  static watch(): NodeJS.Timeout {
    addon.returnLargeBlocks(LARGE_BLOCK_BYTES);
    const memory = new IdleMemory(ownMemory());
    return setInterval(() => memory.look(), LOOK_MS);
  }

  look(): void {
    const { utilization, held, resident, collect, trim } = this.#memory;
    const isIdle = utilization() < IDLE_UTILIZATION;
    if (held() > this.#collectedTo + Math.max(MUCH_BYTES, this.#collectedTo * MUCH_SHARE))
      this.#collections = COLLECTIONS;
    if (isIdle && this.#collections > 0) {
      collect();
      this.#collections--;
      if (this.#collections === 0) this.#collectedTo = held();
    }
    const before = resident();
    if (before === undefined || before < this.#trimmedTo + MUCH_BYTES) return;
    void trim().then(() => {
      this.#trimmedTo = resident() ?? before;
    });
  }
}

function ownMemory(): ProcessMemory {
  let last = performance.eventLoopUtilization();
  let collect: (() => void) | undefined;
  return {
    utilization() {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, last);
      last = now;
      return utilization;
    },
    held() {
      const { total_heap_size, external_memory } = getHeapStatistics();
      return total_heap_size + external_memory;
    },
    collect() {
      // The flag takes effect on contexts that are made after it.
      setFlagsFromString('--expose-gc');
      collect ??= runInNewContext('gc') as () => void;
      collect();
    },
    resident() {
      try {
        return process.memoryUsage.rss();
      } catch {
        // No descriptor is left.
        return undefined;
      }
    },
    trim: () => addon.trimHeap(),
  };
}
