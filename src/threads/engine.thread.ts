/**
 * Entry of the threads without event loop: writer, dispatcher, flusher, or several of them in one thread. Says 'ready'
 * when its agents are made, then works until the stop; such a thread hears no messages (see design: waiting workers).
 */
import { parentPort } from 'node:worker_threads';
import { Positions } from '../ring/positions.ts';
import { Parker, type WakeShape } from '../ring/wake.ts';
import { type Agent, compose, runAgent } from './agent.ts';
import { DispatcherAgent } from './dispatcher-agent.ts';
import { FlusherAgent } from './flusher-agent.ts';
import type { DispatcherShape, FlusherShape, WriterShape } from './shapes.ts';
import { whenTold } from './spawn.ts';
import { WriterAgent } from './writer-agent.ts';

export interface EngineShape {
  positions: SharedArrayBuffer;
  wake: WakeShape;
  writer?: WriterShape;
  dispatcher?: DispatcherShape;
  flusher?: FlusherShape;
}

whenTold((shape: EngineShape) => {
  const agents: Agent[] = [];
  if (shape.writer !== undefined) agents.push(new WriterAgent(shape.writer));
  if (shape.flusher !== undefined) agents.push(new FlusherAgent(shape.flusher));
  if (shape.dispatcher !== undefined) agents.push(new DispatcherAgent(shape.dispatcher));
  parentPort?.postMessage('ready');
  runAgent(
    agents.length === 1 ? (agents[0] as Agent) : compose(agents),
    new Positions(shape.positions),
    new Parker(shape.wake),
  );
});
