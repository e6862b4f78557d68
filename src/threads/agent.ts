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
  /**
   * Looks for work before sleeping. A few tens of µs at most: who spins longer takes the cores from those with work.
   */
  readonly spins: number;
  /** Longest sleep when there is nothing to do, ms. */
  readonly maxSleepMs: number;
  /** True when nothing is left to do, so that a stopping runner may end. */
  readonly drained: boolean;
  close(): void;
}

/**
 * Runs the agent until `positions` say stop and it is drained. Blocks this thread.
 *
 * A wake-up costs 25 µs on an idle machine, so after work the thread looks again for a moment before it sleeps; only
 * work makes that worth while: after a sleep that ended for nothing it sleeps again at once.
 */
export function runAgent(agent: Agent, positions: Positions, parker: Parker): void {
  let worked = true;
  try {
    while (!positions.halted) {
      if (agent.doWork() > 0) {
        worked = true;
      } else if (positions.stopping && agent.drained) {
        break;
      } else if (!worked || !spin(agent)) {
        parker.park(agent.maxSleepMs, () => agent.hasWork() || positions.stopping);
        worked = false;
      }
    }
  } catch (error) {
    positions.halt(HALT_THREAD_DIED, 0);
    throw error;
  } finally {
    agent.close();
  }
}

function spin(agent: Agent): boolean {
  for (let i = agent.spins; i > 0; i--) if (agent.hasWork()) return true;
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
    maxSleepMs: Math.min(...agents.map((agent) => agent.maxSleepMs)),
    get drained() {
      return agents.every((agent) => agent.drained);
    },
    close: () => {
      for (const agent of agents) agent.close();
    },
  };
}
