/** The agents of the engine that share a thread, as one: in a thread of their own or inside the network thread. */
import { DeliveryAgent } from '../delivery/delivery-agent.ts';
import { type Agent, compose } from '../ring/agent.ts';
import { DispatcherAgent } from '../store/dispatch/dispatcher-agent.ts';
import { FlusherAgent } from '../store/log/flusher-agent.ts';
import { WriterAgent } from '../store/log/writer-agent.ts';
import type { EngineParts } from './shapes.ts';

/** Writer first: what it appends in a round is synced and dispatched in the same round. */
export function engineAgent({ writer, flusher, dispatcher, delivery }: EngineParts): Agent {
  const agents: Agent[] = [];
  if (writer !== undefined) agents.push(new WriterAgent(writer));
  if (flusher !== undefined) agents.push(new FlusherAgent(flusher));
  if (dispatcher !== undefined) agents.push(new DispatcherAgent(dispatcher));
  if (delivery !== undefined) agents.push(new DeliveryAgent(delivery));
  return agents.length === 1 ? (agents[0] as Agent) : compose(agents);
}
