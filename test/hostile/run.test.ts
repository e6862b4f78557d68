/**
 * Hostile connections, frames and sequences of requests by the hundred, made from a seed, against a live broker and a
 * live name server. Nothing ends, a good client beside them gets every answer, and when they have gone memory and
 * descriptors come back.
 *
 * RINGMQ_TEST_FULL=1: ten thousand acts, and the good client's times, memory and descriptors are held to their limits;
 * a short run only tells them, since a machine with other work has figures of its own. HOSTILE_SEED repeats a run
 * (each act is made from the seed and its number; in which order they meet is up to the machine), HOSTILE_ACTS changes
 * their number, HOSTILE_ONLY names the acts to choose from, separated by commas.
 */
import { setPriority } from 'node:os';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fullRun, Random, seeds } from '../support/random.ts';
import { type Act, Lingering, PATIENCE_MS, pause, Scene } from './support/act.ts';
import { actsOfBytes } from './support/acts-of-bytes.ts';
import { actsOfRequests, LARGE_TOPIC, shapeOf, storeLargeMessages } from './support/acts-of-requests.ts';
import { actsOfTls } from './support/acts-of-tls.ts';
import { Arena } from './support/arena.ts';
import { addReport, describeReport, emptyReport, type GoodClientReport } from './support/good-client.ts';
import type { ServerProcess } from './support/processes.ts';
import { Talk } from './support/talk.ts';

const MIB = 1 << 20;
const ATTACK_PRIORITY = 10;
const ACTS = Number(process.env['HOSTILE_ACTS'] ?? (fullRun ? 10_000 : 500));
/** Acts at a time, and how long each waits before it at most: whoever keeps both cores busy measures himself. */
const TROUPE = 6;
const MOST_PAUSE_MS = 80;
const CALM_ROUNDS = 300;
/** Told with the acts of the time in which it happened; the full run holds the servers' part of each answer to it. */
const SLOW_MS = 250;
const SETTLING_MS = fullRun ? 60_000 : 10_000;
const DELETED_MS = 60_000;
const MEMORY_BYTES = 64 * MIB;
const DESCRIPTORS = 5;

const only = process.env['HOSTILE_ONLY']?.split(',');
const acts: [string, Act][] = Object.entries({ ...actsOfBytes, ...actsOfRequests, ...actsOfTls }).filter(
  ([name]) => only?.includes(name) ?? true,
);
const [seed = 1] = seeds('HOSTILE_SEED', 1);

/** What a process holds. */
interface Holdings {
  memory: number;
  descriptors: number;
}

function holdings(server: ServerProcess): Holdings {
  return { memory: server.anonymousBytes(), descriptors: server.descriptors() };
}

function describe(name: string, before: Holdings, after: Holdings): string {
  const mib = (bytes: number) => `${(bytes / MIB).toFixed(0)} MiB`;
  return `${name}: ${mib(before.memory)} and ${before.descriptors} descriptors before, ${mib(after.memory)} and ${after.descriptors} after`;
}

function isBack(before: Holdings, after: Holdings): boolean {
  return (
    after.memory <= before.memory + MEMORY_BYTES && after.descriptors <= before.descriptors + DESCRIPTORS
  );
}

/** Runs the acts from `next` on, `TROUPE` at a time, and looks at the servers and the good client while they run. */
class Run {
  readonly sum: GoodClientReport = emptyReport();
  readonly lingering = new Lingering();
  readonly #arena: Arena;
  #next = 0;
  #failure: Error | undefined;
  /** Names of the acts since the last look. */
  #recent: string[] = [];

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  async all(): Promise<void> {
    const looking = setInterval(() => void this.#look(), 500);
    await Promise.all(Array.from({ length: TROUPE }, () => this.#perform()));
    clearInterval(looking);
    await this.#look();
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #perform(): Promise<void> {
    while (this.#next < ACTS && this.#failure === undefined) {
      const number = this.#next++;
      const random = new Random(seed * 1_000_003 + number);
      const [name, act] = random.pick(acts);
      await pause(random.int(0, MOST_PAUSE_MS));
      this.#recent.push(`${name} ${number}`);
      const addresses = { broker: this.#arena.broker.address, nameServer: this.#arena.nameServer.address };
      try {
        await act(new Scene(random, addresses, this.lingering));
      } catch (error) {
        this.#failure ??= new Error(`seed ${seed}, act ${name} ${number}`, { cause: error });
      }
    }
  }

  async #look(): Promise<void> {
    const recent = this.#recent;
    this.#recent = [];
    try {
      this.#arena.check();
      const report = await this.#arena.goodClient.report();
      addReport(this.sum, report);
      if (report.slowest.ms > SLOW_MS) console.log(`slow: ${describeReport(report)}; ${recent.join(', ')}`);
      if (report.wrong.length > 0) throw new Error(`the good client: ${report.wrong.join('\n')}`);
    } catch (error) {
      this.#failure ??= new Error(`seed ${seed}: ${(error as Error).message}\nacts: ${recent.join(', ')}`);
    }
  }
}

/**
 * Requests of some size that are in order, to each thread that hostile ones have kept busy: garbage is collected when
 * memory is asked for, not by the clock.
 */
async function ordinaryTraffic({ broker, nameServer }: Arena): Promise<void> {
  const [toBroker, toNameServer] = [await Talk.open(broker.address), await Talk.open(nameServer.address)];
  const blanks = Buffer.alloc(MIB, ' ');
  for (let n = 0; n < 20; n++) {
    await toBroker.ask({ code: 11, fields: { ...shapeOf(11).fields, topic: LARGE_TOPIC } }, PATIENCE_MS);
    await toBroker.ask({ code: 41, body: Buffer.concat([Buffer.from('{}'), blanks]) }, PATIENCE_MS);
    await toNameServer.ask({ code: 322, fields: shapeOf(322).fields, body: blanks }, PATIENCE_MS);
  }
  toBroker.destroy();
  toNameServer.destroy();
}

/** Deletes what hostile clients have made: the files of a topic that is there may stay open. */
async function deleteHostileTopics({ broker }: Arena): Promise<void> {
  const talk = await Talk.open(broker.address);
  const all = await talk.ask({ code: 21 }, DELETED_MS);
  const { topicConfigTable } = JSON.parse(all?.body.toString() ?? '{}') as { topicConfigTable: object };
  const doomed = Object.keys(topicConfigTable).filter(
    (topic) => !topic.startsWith('good-') && topic !== LARGE_TOPIC,
  );
  // System topics are refused, which is right: they were there before. A deletion waits for a checkpoint.
  await Promise.all(doomed.map((topic) => talk.ask({ code: 215, fields: { topic } }, DELETED_MS)));
  talk.destroy();
}

/** Waits until both are back where they were, idle as they are then, and says how far they came. */
async function settled(arena: Arena, before: readonly Holdings[]): Promise<boolean> {
  const servers = [arena.broker, arena.nameServer];
  const end = performance.now() + SETTLING_MS;
  for (;;) {
    const after = servers.map(holdings);
    const back = after.every((one, i) => isBack(before[i] as Holdings, one));
    if (back || performance.now() > end) {
      for (const [i, { name }] of servers.entries()) {
        console.log(describe(name, before[i] as Holdings, after[i] as Holdings));
      }
      return back;
    }
    await pause(1000);
  }
}

const test = suite('hostile run');

test(`${ACTS} hostile acts, seed ${seed}`, async () => {
  const arena = await Arena.start();
  const run = new Run(arena);
  try {
    await storeLargeMessages(arena.broker.address);
    const calm = await arena.goodClient.rounds(CALM_ROUNDS);
    assert.equal(calm.wrong, []);
    await ordinaryTraffic(arena);
    const before = [holdings(arena.broker), holdings(arena.nameServer)];
    const start = performance.now();
    // This thread alone, which attacks; the servers and the good client have theirs already. Who attacks from elsewhere
    // takes no processor from those he attacks.
    setPriority(ATTACK_PRIORITY);
    await run.all();
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    run.lingering.destroyAll();
    console.log(`seed ${seed}: ${ACTS} acts in ${seconds} s`);
    console.log(`calm: ${describeReport(calm)}`);
    console.log(`hostile: ${describeReport(run.sum)}`);
    await deleteHostileTopics(arena);
    const back = await settled(arena, before);
    const last = await arena.goodClient.report();
    assert.equal(last.wrong, []);
    if (!fullRun) return;
    assert.ok(back, 'memory and descriptors come back');
    assert.ok(run.sum.slowestOfServers.ms <= SLOW_MS, describeReport(run.sum));
  } finally {
    run.lingering.destroyAll();
    const ends = await arena.stop();
    assert.equal(ends, [0, 0], arena.broker.log + arena.nameServer.log);
    assert.equal([...arena.broker.errors, ...arena.nameServer.errors], [], 'no client causes an error');
  }
});

test.run();
