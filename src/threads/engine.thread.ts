/**
 * Entry of the threads without event loop: writer, dispatcher, flusher, delivery, or several of them in one thread.
 * Says 'ready' when its agents are made, then works until the stop; such a thread hears no messages.
 */
import { parentPort } from 'node:worker_threads';
import { runAgent } from '../ring/agent.ts';
import { COUNTER_BLOCKS, Counters } from '../ring/counters.ts';
import { Patience } from '../ring/patience.ts';
import { Positions } from '../ring/positions.ts';
import { Parker, type WakeShape } from '../ring/wake.ts';
import { engineAgent } from './engine-agents.ts';
import type { EngineParts } from './shapes.ts';
import { whenTold } from './when-told.ts';

export interface EngineShape extends EngineParts {
  positions: SharedArrayBuffer;
  wake: WakeShape;
}

whenTold((shape: EngineShape) => {
  const agent = engineAgent(shape);
  parentPort?.postMessage('ready');
  // Only for messages on their way in: what follows them keeps nobody waiting.
  const patience = new Patience(shape.writer?.broker.busyPollMicros ?? 0);
  runAgent(agent, new Positions(shape.positions), new Parker(shape.wake), patience, countersOf(shape));
});

/** The block of the first agent of the thread. */
function countersOf({ writer, dispatcher, flusher, delivery }: EngineShape): Counters {
  const [role, shape] = writer
    ? (['writer', writer] as const)
    : dispatcher
      ? (['dispatcher', dispatcher] as const)
      : flusher
        ? (['flusher', flusher] as const)
        : (['delivery', delivery] as const);
  return shape === undefined ? Counters.unread() : new Counters(shape.broker.counters, COUNTER_BLOCKS[role]);
}
