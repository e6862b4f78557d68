/** Brokers with their threads pinned, rounds by turns, and readings of the threads for the measured phases alone. */
import path from 'node:path';
import type { LoadResult } from '../../load/recorder.ts';
import { removeFolder } from '../cleanup.ts';
import { writeBack } from '../disk.ts';
import { DisturbanceWatch } from '../disturbance.ts';
import { LoadRun, type LoadSettings, type Place } from '../load-run.ts';
import type { Target } from '../target.ts';
import { alone } from '../turns.ts';
import type { Bench, Stage, Work } from '../work/work.ts';
import { mediansOf, type ThreadRound } from './costs.ts';
import { pin, processorOf, type Settled } from './pinning.ts';
import type { VariantResult } from './report.ts';
import type { Shape, Variant } from './shapes.ts';
import { syncSeconds } from './sync-time.ts';
import { readThreads, type ThreadTimes, usedBetween } from './thread-times.ts';

/** Whose threads are read; set before a round. */
interface Subject {
  pid: number;
  metricsPort: number;
}

/** Reads the threads of the broker on stage at both ends of the measured phase. */
export class ThreadWatch extends DisturbanceWatch {
  subject: Subject | undefined;
  used: ThreadTimes[] = [];
  syncSeconds = 0;
  #before: ThreadTimes[] = [];
  #syncsBefore = 0;

  override async begin(): Promise<void> {
    await super.begin();
    if (this.subject === undefined) return;
    this.#syncsBefore = await syncSeconds(this.subject.metricsPort);
    this.#before = readThreads(this.subject.pid);
  }

  override async end(): ReturnType<DisturbanceWatch['end']> {
    if (this.subject !== undefined) {
      this.used = usedBetween(this.#before, readThreads(this.subject.pid));
      this.syncSeconds = (await syncSeconds(this.subject.metricsPort)) - this.#syncsBefore;
    }
    return super.end();
  }
}

export interface Pins {
  placement: Settled;
  processors: readonly number[];
}

/** Pins the generator, and the threads of the broker that it is about to load. */
export class PinnedLoad extends LoadRun {
  readonly #bench: Pick<Bench, 'folder'>;
  readonly #pins: Pins;
  readonly #header: string;

  constructor(folder: Bench['folder'], watch: DisturbanceWatch, pins: Pins, header: string) {
    super(folder, watch);
    this.#bench = { folder };
    this.#pins = pins;
    this.#header = header;
  }

  override generate(
    place: Place,
    settings: LoadSettings,
    ...more: [script?: string, onPhase?: (phase: string) => Promise<void>]
  ): Promise<LoadResult> {
    const before = this.#bench.folder.pids;
    const result = super.generate(place, { header: this.#header, ...settings }, ...more);
    const { placement, processors } = this.#pins;
    if (placement !== 'none') {
      for (const pid of this.#bench.folder.pids)
        if (!before.includes(pid)) pin(pid, processors[0] as number, true);
      if (place.target !== undefined) pinBroker(place.target, this.#pins);
    }
    return result;
  }
}

function pinBroker({ pid }: Target, { placement, processors }: Pins): void {
  for (const thread of readThreads(pid)) pin(thread.id, processorOf(thread, pid, placement, processors));
}

/** A variant on stage. */
class Player implements Stage {
  readonly bench: Bench;
  readonly contestant: Variant;
  readonly flush: Stage['flush'];
  readonly home: string;
  readonly metricsPort: number;
  readonly work: Work;
  readonly rounds: ThreadRound[] = [];
  target: Target | undefined;
  readonly #all: readonly Player[];

  constructor(bench: Bench, shape: Shape, contestant: Variant, metricsPort: number, all: readonly Player[]) {
    this.bench = bench;
    this.contestant = contestant;
    this.flush = shape.flush;
    this.home = path.join(bench.folder.path, `${shape.name}-${contestant.name}`);
    this.metricsPort = metricsPort;
    this.#all = all;
    this.work = shape.plan.begin(this);
  }

  others(): Target[] {
    return this.#all.flatMap((player) => (player === this ? [] : (player.target ?? [])));
  }

  async round(watch: ThreadWatch): Promise<void> {
    await writeBack(this.bench.folder);
    const pid = (this.target as Target).pid;
    watch.subject = { pid, metricsPort: this.metricsPort };
    const { figures, errors, disturbance, raw } = await this.work.round();
    watch.subject = undefined;
    if (errors > 0) throw new Error(`${this.contestant.title}: ${errors} requests failed`);
    const { messages, seconds } = raw as LoadResult;
    this.rounds.push({
      ...{ messages, seconds, pid, threads: watch.used },
      generator: figures['generator'] ?? 0,
      syncShare: watch.syncSeconds / seconds,
      foreignShare: disturbance.foreignShare,
    });
  }
}

/** All variants are alive together, and one at a time has load while the others stand still. */
export async function measureShape(
  bench: Bench,
  watch: ThreadWatch,
  shape: Shape,
  variants: readonly (Variant & { metricsPort: number })[],
): Promise<{ result: VariantResult; rounds: ThreadRound[] }[]> {
  const players: Player[] = [];
  for (const variant of variants)
    players.push(new Player(bench, shape, variant, variant.metricsPort, players));
  for (const player of players) await alone(player.others(), () => player.work.prepare());
  for (let round = 1; round <= bench.rounds; round++)
    for (const player of players) {
      await alone(player.others(), () => player.round(watch));
      const { messages, seconds, foreignShare } = player.rounds.at(-1) as ThreadRound;
      const others = `others ${(foreignShare * 100).toFixed(0)} %`;
      bench.say(
        `${shape.name} ${round}/${bench.rounds} ${player.contestant.title}: ${Math.round(messages / seconds)}/s, ${others}`,
      );
    }
  for (const player of players) {
    await player.target?.stop();
    removeFolder(player.home);
  }
  return players.map(({ contestant: { name, title }, rounds }) => ({
    result: { name, title, ...mediansOf(rounds) },
    rounds,
  }));
}
