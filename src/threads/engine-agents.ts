/** The agents of the engine that share a thread, as one: in a thread of their own or inside the network thread. */
import { type Agent, compose } from '../ring/agent.ts';
import { DispatcherAgent } from '../store/dispatch/dispatcher-agent.ts';
import type { EngineParts } from '../store/engine-shapes.ts';
import { FlusherAgent } from '../store/log/flusher-agent.ts';
import { WriterAgent } from '../store/log/writer-agent.ts';

/** Writer first: what it appends in a round is synced and dispatched in the same round. */
export function engineAgent({ writer, flusher, dispatcher }: EngineParts): Agent {
  const agents: Agent[] = [];
  if (writer !== undefined) agents.push(new WriterAgent(writer));
  if (flusher !== undefined) agents.push(new FlusherAgent(flusher));
  if (dispatcher !== undefined) agents.push(new DispatcherAgent(dispatcher));
  return agents.length === 1 ? (agents[0] as Agent) : compose(agents);
}
