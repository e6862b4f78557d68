/**
 * Work and waiting are separate. An agent does one round of work when asked; a runner gives it a thread, decides when
 * to ask again and how to sleep. So the same agents run in threads of their own, several in one, or inline in a test.
 */
import { addon } from '../native/addon.ts';
import { type Counters, counterPlace } from './counters.ts';
import type { Patience } from './patience.ts';
import { HALT_THREAD_DIED, type Positions } from './positions.ts';
import type { Parker } from './wake.ts';

export interface Agent {
  /** One round; returns how much was done, in messages and the like: 0 = nothing, and little is a small number. */
  doWork(): number;
  /** Whether a round now would find something; asked right before sleeping. */
  hasWork(): boolean;
  /**
   * Looks for work before sleeping. A few tens of µs at most: who spins longer takes the cores from those with work.
   */
  readonly spins: number;
  /** Longest sleep when there is nothing to do, ms. */
  readonly maxSleepMs: number;
  /** True when nothing is left to do, so that a stopping runner may end. */
  readonly drained: boolean;
  /** Its runner ends though nobody stops the others. */
  readonly isOver?: boolean;
  close(): void;
}

const WAKE_UPS = counterPlace('wakeUps');
const BUSY = counterPlace('busyMillis');
const IDLE = counterPlace('idleMillis');

/** Done in a round by all agents of the thread together: a message or two. */
const FEW = 4;
/** Before the next look at the clock, and before others may have the processor: what is looked for may need it. */
const LOOKS_IN_A_ROW = 32;

/**
 * Runs the agent until `positions` say stop and it is drained. Blocks this thread.
 *
 * A wake-up costs 25 µs and more, so after work the thread looks again for a moment before it sleeps; only work makes
 * that worth while: after a sleep that ended for nothing it sleeps again at once. `counters`: the block of the thread's
 * first agent, where its sleeps are counted.
 */
export function runAgent(
  agent: Agent,
  positions: Positions,
  parker: Parker,
  patience: Patience,
  counters: Counters,
): void {
  let worked = 0;
  let awakeSince = performance.now();
  const hasWork = () => agent.hasWork() || positions.stopping;
  try {
    while (!positions.halted && agent.isOver !== true) {
      const done = agent.doWork();
      if (done > 0) {
        worked = done;
      } else if (positions.stopping && agent.drained) {
        break;
      } else if (worked === 0 || !workFollows(agent, worked, patience)) {
        const asleep = performance.now();
        parker.park(agent.maxSleepMs, hasWork);
        const awake = performance.now();
        counters.add(WAKE_UPS);
        counters.add(BUSY, asleep - awakeSince);
        counters.add(IDLE, awake - asleep);
        awakeSince = awake;
        worked = 0;
      }
    }
  } catch (error) {
    positions.halt(HALT_THREAD_DIED, 0);
    throw error;
  } finally {
    agent.close();
  }
}

/** Looks on for a moment; for longer only where few share the wake-up, which many hardly notice. */
function workFollows(agent: Agent, worked: number, patience: Patience): boolean {
  for (let i = agent.spins; i > 0; i--) {
    if (agent.hasWork()) return true;
    if (i % LOOKS_IN_A_ROW === 0) addon.yieldProcessor();
  }
  if (worked > FEW || !patience.worthwhile()) return false;
  const until = performance.now() + patience.millis;
  do {
    for (let i = LOOKS_IN_A_ROW; i > 0; i--) {
      if (!agent.hasWork()) continue;
      patience.rewarded();
      return true;
    }
    // Who only looks goes last.
    addon.yieldProcessor();
  } while (performance.now() < until);
  patience.disappointed();
  return false;
}

/** Several agents in one thread, asked in turn. */
export function compose(agents: readonly Agent[]): Agent {
  return {
    doWork: () => {
      let done = 0;
      for (const agent of agents) done += agent.doWork();
      return done;
    },
    hasWork: () => agents.some((agent) => agent.hasWork()),
    spins: Math.max(...agents.map((agent) => agent.spins)),
    get maxSleepMs() {
      return Math.min(...agents.map((agent) => agent.maxSleepMs));
    },
    get drained() {
      return agents.every((agent) => agent.drained);
    },
    close: () => {
      for (const agent of agents) agent.close();
    },
  };
}
