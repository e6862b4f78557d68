/**
 * Work and waiting are separate. An agent does one round of work when asked; a runner gives it a thread, decides when
 * to ask again and how to sleep. So the same agents run in threads of their own, several in one, or inline in a test.
 */
import { HALT_THREAD_DIED, type Positions } from '../ring/positions.ts';
import type { Parker } from '../ring/wake.ts';

export interface Agent {
  /** One round; returns how much was done, 0 = nothing. */
  doWork(): number;
  /** Whether a round now would find something; asked right before sleeping. */
  hasWork(): boolean;
  /** Longest sleep when there is nothing to do, ms. */
  readonly maxSleepMs: number;
  /** True when nothing is left to do, so that a stopping runner may end. */
  readonly drained: boolean;
  close(): void;
}

/**
 * Rounds without work before sleeping: about 50 µs. Less costs wake-ups (25 µs each on an idle machine), more takes
 * the cores from those who have work (measured: 20,000 halves sync throughput on two cores).
 */
const SPINS = 2000;

/** Runs the agent until `positions` say stop and it is drained. Blocks this thread. */
export function runAgent(agent: Agent, positions: Positions, parker: Parker): void {
  let idle = 0;
  try {
    for (;;) {
      if (agent.doWork() > 0) {
        idle = 0;
      } else if (positions.stopping && agent.drained) {
        break;
      } else if (++idle >= SPINS) {
        parker.park(agent.maxSleepMs, () => agent.hasWork() || positions.stopping);
        // One look, then sleep again: only work makes it worth spinning, an idle broker must cost nothing.
        idle = SPINS - 1;
      }
      if (positions.halted) break;
    }
  } catch (error) {
    positions.halt(HALT_THREAD_DIED, 0);
    throw error;
  } finally {
    agent.close();
  }
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
    maxSleepMs: Math.min(...agents.map((agent) => agent.maxSleepMs)),
    get drained() {
      return agents.every((agent) => agent.drained);
    },
    close: () => {
      for (const agent of agents) agent.close();
    },
  };
}
