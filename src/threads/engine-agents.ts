/** The agents of the engine that share a thread, as one: in a thread of their own or inside the network thread. */
import { DeliveryAgent } from '../delivery/delivery-agent.ts';
import { type Agent, compose } from '../ring/agent.ts';
import { DispatcherAgent } from '../store/dispatch/dispatcher-agent.ts';
import { FlusherAgent } from '../store/log/flusher-agent.ts';
import { WriterAgent } from '../store/log/writer-agent.ts';
import type { EngineParts } from './shapes.ts';
import { tracedAgent } from './trace/agent-trace.ts';

/** Writer first: what it appends in a round is synced and dispatched in the same round. */
export function engineAgent({ writer, flusher, dispatcher, delivery }: EngineParts): Agent {
  const agents: Agent[] = [];
  const writing = writer && new WriterAgent(writer);
  if (writer && writing) agents.push(tracedAgent(writing, 'writer', writer.broker));
  if (flusher) agents.push(tracedAgent(new FlusherAgent(flusher), 'flusher', flusher.broker));
  if (dispatcher) {
    const dispatching = new DispatcherAgent(dispatcher, writing?.recent);
    agents.push(tracedAgent(dispatching, 'dispatcher', dispatcher.broker));
  }
  if (delivery) agents.push(tracedAgent(new DeliveryAgent(delivery), 'delivery', delivery.broker));
  return agents.length === 1 ? (agents[0] as Agent) : compose(agents);
}
