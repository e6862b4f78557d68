/**
 * Entry of the replication thread. Of a master: control hands it the connections of slaves by message. Of a slave:
 * control tells it where the master is, and of queues.
 */
import { parentPort } from 'node:worker_threads';
import type { MasterState, SlaveState } from '../../replication/status.ts';
import { Doorbell } from '../../ring/wake.ts';
import type { MasterShape, SlaveShape } from '../shapes.ts';
import { whenTold } from '../when-told.ts';
import { MasterAgent } from './master-agent.ts';
import { SlaveAgent } from './slave-agent.ts';

export type ReplicationCommand =
  | { kind: 'adopt'; descriptor: number }
  | { kind: 'follow'; address: string }
  | { kind: 'known'; topic: string; queueIds: number[] }
  | { kind: 'forget'; topic: string }
  | { kind: 'masterEndsAt'; position: number }
  | { kind: 'stop' };

export type ReplicationReport =
  | { kind: 'ready' }
  | { kind: 'slaves'; slaves: SlaveState[] }
  | { kind: 'master'; state: MasterState }
  /** The log is to be cut at this position. */
  | { kind: 'diverged'; position: number }
  /** A record waits for its queue to be known. */
  | { kind: 'unknown'; topic: string; queueId: number };

const port = parentPort as NonNullable<typeof parentPort>;

function report(message: ReplicationReport): void {
  port.postMessage(message);
}

function agentOf(shape: MasterShape | SlaveShape): MasterAgent | SlaveAgent {
  if (!('number' in shape)) return new MasterAgent(shape, (slaves) => report({ kind: 'slaves', slaves }));
  return new SlaveAgent(shape, {
    ask: (queue) => report({ kind: 'unknown', ...queue }),
    diverged: (position) => report({ kind: 'diverged', position }),
    tell: (state) => report({ kind: 'master', state }),
  });
}

function obey(agent: MasterAgent | SlaveAgent, command: ReplicationCommand): void {
  if (agent instanceof MasterAgent) {
    if (command.kind === 'adopt') agent.adopt(command.descriptor);
  } else if (command.kind === 'follow') agent.follow(command.address);
  else if (command.kind === 'known') agent.knows(command.topic, command.queueIds);
  else if (command.kind === 'forget') agent.forget(command.topic);
  else if (command.kind === 'masterEndsAt') agent.masterEndsAt(command.position);
}

whenTold((shape: MasterShape | SlaveShape) => {
  const agent = agentOf(shape);
  const doorbell = new Doorbell(shape.broker.wakes.replication, () => agent.rung());
  port.on('message', (command: ReplicationCommand) => {
    if (command.kind !== 'stop') {
      obey(agent, command);
      return;
    }
    agent.close();
    doorbell.close();
    port.close();
  });
  report({ kind: 'ready' });
});
