/**
 * Background jobs on Piscina pools: work that may take long and belongs to nobody's turn. Each kind has a pool of one
 * thread, so that none waits for one of another kind. It is made with the first job and its thread ends when it has
 * been idle, so a broker without such work pays nothing for it. Sends and pulls never go this way.
 */
import type { Piscina } from 'piscina';
import type { FoundRecords, KeyQueryInput } from '../../store/read/key-query.ts';
import type { FollowLogInput } from '../../store/retention/follow-log.ts';
import { threadFile } from '../thread-file.ts';

const IDLE_MS = 5_000;

/** One kind of job. */
class JobPool {
  #pool: Promise<Piscina> | undefined;
  #ended = false;
  /** The jobs that run or wait. */
  readonly #jobs = new Set<Promise<unknown>>();

  /** Rejects when the job fails, when its thread cannot start, and after the end. */
  async run<Result>(name: string, input: unknown): Promise<Result> {
    const pool = await this.#open();
    if (this.#ended) throw new Error('the broker is stopping');
    const job = pool.run(input, { name });
    this.#jobs.add(job);
    try {
      return await job;
    } finally {
      this.#jobs.delete(job);
    }
  }

  /** Nothing more is run. What is under way ends where it is and is rejected; with `settled` it is waited for. */
  async end(settled: boolean): Promise<void> {
    this.#ended = true;
    if (settled) await Promise.allSettled(this.#jobs);
    const pool = await this.#pool?.catch(() => undefined);
    await pool?.destroy();
  }

  #open(): Promise<Piscina> {
    if (this.#pool !== undefined) return this.#pool;
    this.#pool = this.#make();
    // Without free descriptors the library cannot be loaded: the next job tries again.
    this.#pool.catch(() => {
      this.#pool = undefined;
    });
    return this.#pool;
  }

  async #make(): Promise<Piscina> {
    const library = await import('piscina');
    const pool = new library.Piscina({
      filename: threadFile('threads/jobs', 'jobs').href,
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: IDLE_MS,
    });
    // A thread that cannot start: who waits for it hears of that, and the next job has a pool of its own.
    pool.on('error', () => {
      this.#pool = undefined;
      void pool.destroy().catch(() => {});
    });
    return pool;
  }
}

export class Jobs {
  readonly #retention = new JobPool();
  readonly #queries = new JobPool();

  /** See follow-log.ts. */
  followLog(input: FollowLogInput): Promise<void> {
    return this.#retention.run('followLog', input);
  }

  /** See key-query.ts. */
  findByKey(input: KeyQueryInput): Promise<FoundRecords> {
    return this.#queries.run('findByKey', input);
  }

  /** Queries are given up, retention is brought to its end. */
  async close(): Promise<void> {
    await Promise.all([this.#queries.end(false), this.#retention.end(true)]);
  }

  /** Ends everything where it is. */
  async terminate(): Promise<void> {
    await Promise.all([this.#queries.end(false), this.#retention.end(false)]);
  }
}
