/** An agent of the engine under observation: what each of its rounds did, by the positions and rings that it moved. */
import { systemClock } from '../../lib/clock.ts';
import type { Agent } from '../../ring/agent.ts';
import { COUNTER_BLOCKS, CounterSums } from '../../ring/counters.ts';
import { allPositions, Positions } from '../../ring/positions.ts';
import { RingTap } from '../../ring/ring-tap.ts';
import { NOTE_ANSWERED, NOTE_ROUND, NOTE_TAKEN, TraceNotes } from '../../ring/trace-notes.ts';
import type { BrokerShape } from '../../store/engine-shapes.ts';
import type { EngineRole } from '../engine-layout.ts';

/** The agent itself where nobody traces. */
export function tracedAgent(agent: Agent, role: EngineRole, broker: BrokerShape): Agent {
  const ring = broker.trace?.[role];
  return ring === undefined ? agent : withRounds(agent, new RoundNotes(new TraceNotes(ring), role, broker));
}

function withRounds(agent: Agent, rounds: RoundNotes): Agent {
  return {
    doWork: () => rounds.around(() => agent.doWork()),
    hasWork: () => agent.hasWork(),
    spins: agent.spins,
    get maxSleepMs() {
      return agent.maxSleepMs;
    },
    get drained() {
      return agent.drained;
    },
    close: () => agent.close(),
  };
}

class RoundNotes {
  readonly #notes: TraceNotes;
  readonly #positions: Positions;
  readonly #counters: CounterSums;
  /** Of the writer: what it takes from whom, and what it answers. */
  readonly #taken: RingTap[] = [];
  readonly #answered: RingTap[] = [];

  constructor(notes: TraceNotes, role: EngineRole, broker: BrokerShape) {
    this.#notes = notes;
    this.#positions = new Positions(broker.positions);
    this.#counters = new CounterSums(broker.counters);
    if (role !== 'writer') return;
    this.#taken = broker.participants.map(({ send }) => new RingTap(send.ring, 'head'));
    this.#answered = broker.participants.map(({ replies }) => new RingTap(replies, 'tail'));
  }

  around(work: () => number): number {
    const before = allPositions(this.#positions);
    const [syncs, micros] = this.#syncs();
    const began = systemClock.monotonic();
    const done = work();
    const ended = systemClock.monotonic();
    const after = allPositions(this.#positions);
    if (done === 0 && after.every((value, slot) => value === before[slot])) return done;
    const [syncsAfter, microsAfter] = this.#syncs();
    this.#note(this.#taken, NOTE_TAKEN, began, ended);
    this.#note(this.#answered, NOTE_ANSWERED, began, ended);
    const numbers = [done, syncsAfter - syncs, microsAfter - micros, ...before, ...after];
    this.#notes.add(NOTE_ROUND, began, ended, numbers);
    return done;
  }

  #syncs(): [number, number] {
    const { flusher } = COUNTER_BLOCKS;
    return [this.#counters.of(flusher, 'syncs'), this.#counters.of(flusher, 'syncMicros')];
  }

  #note(taps: readonly RingTap[], kind: number, began: number, ended: number): void {
    for (const [participant, tap] of taps.entries())
      for (const { at, bytes } of tap.take()) this.#notes.add(kind, began, ended, [participant, at], bytes);
  }
}
