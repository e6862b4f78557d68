/**
 * Background jobs on a Piscina pool: work that may take long and belongs to nobody's turn. The pool is made with the
 * first job and its threads end when they have been idle, so a broker without such work pays nothing for it. Sends and
 * pulls never go this way. Each kind of job runs once at a time, and none waits for one of another kind.
 */
import type { Piscina } from 'piscina';
import type { FoundRecords, KeyQueryInput } from '../../store/read/key-query.ts';
import type { FollowLogInput } from '../../store/retention/follow-log.ts';
import { threadFile } from '../thread-file.ts';

const IDLE_MS = 5_000;

/** One per kind of job. */
const MAX_THREADS = 2;

async function makePool(): Promise<Piscina> {
  const library = await import('piscina');
  return new library.Piscina({
    filename: threadFile('threads/jobs', 'jobs').href,
    minThreads: 0,
    maxThreads: MAX_THREADS,
    idleTimeout: IDLE_MS,
  });
}

export class Jobs {
  #pool: Promise<Piscina> | undefined;

  /** See follow-log.ts. */
  async followLog(input: FollowLogInput): Promise<void> {
    const pool = await this.#open();
    await pool.run(input, { name: 'followLog' });
  }

  /** See key-query.ts. */
  async findByKey(input: KeyQueryInput): Promise<FoundRecords> {
    const pool = await this.#open();
    return pool.run(input, { name: 'findByKey' });
  }

  async close(): Promise<void> {
    const pool = await this.#pool?.catch(() => undefined);
    await pool?.close();
  }

  #open(): Promise<Piscina> {
    if (this.#pool === undefined) {
      this.#pool = makePool();
      // Without free descriptors the library cannot be loaded: the next job tries again.
      this.#pool.catch(() => {
        this.#pool = undefined;
      });
    }
    return this.#pool;
  }
}
