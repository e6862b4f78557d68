/**
 * Entry of a network thread. Control speaks to it by messages for what happens rarely (listen, stop); everything else
 * goes through rings. The first network thread accepts for all and hands sockets on in turn.
 */
import { type MessagePort, parentPort } from 'node:worker_threads';
import type { RefusedSend } from '../../broker/send/refused-sends.ts';
import { addon } from '../../native/addon.ts';
import { Doorbell } from '../../ring/wake.ts';
import type { ServerTls } from '../../tls/settings.ts';
import type { NetworkShape } from '../shapes.ts';
import { whenTold } from '../when-told.ts';
import { NetworkAgent } from './network-agent.ts';

export type NetworkCommand =
  | { kind: 'listen'; descriptors: number[]; peers: MessagePort[] }
  | { kind: 'adopt'; from: MessagePort }
  /** Certificates were replaced. */
  | { kind: 'tls'; tls: ServerTls }
  | { kind: 'refuse' }
  | { kind: 'stop' };

export type NetworkReport =
  | { kind: 'ready' }
  | { kind: 'quiet' }
  | { kind: 'refused'; refused: RefusedSend }
  /** Something for the delivery agent, which may not have been started yet. */
  | { kind: 'needsDelivery' };

const port = parentPort as NonNullable<typeof parentPort>;

function report(message: NetworkReport): void {
  port.postMessage(message);
}

/** Sockets in turn: this thread, then each peer. */
function handOverTo(peers: readonly MessagePort[]): (descriptor: number) => boolean {
  let turn = 0;
  return (descriptor) => {
    turn = (turn + 1) % (peers.length + 1);
    const peer = peers[turn - 1];
    if (peer === undefined) return false;
    const duplicate = addon.duplicateDescriptor(descriptor);
    if (duplicate < 0) return false;
    peer.postMessage(duplicate);
    return true;
  };
}

/** Waits until every send under way is answered, a second at most. */
function settle(agent: NetworkAgent, attempts = 100): void {
  agent.settle();
  if (agent.idle || attempts === 0) report({ kind: 'quiet' });
  else setTimeout(() => settle(agent, attempts - 1), 10);
}

whenTold((shape: NetworkShape) => {
  const wake = shape.broker.wakes.network[shape.index];
  if (wake === undefined) throw new Error(`no wake for network thread ${shape.index}`);
  const doorbell = new Doorbell(wake, () => agent.rung());
  const agent = new NetworkAgent(shape, doorbell);
  port.on('message', (command: NetworkCommand) => {
    switch (command.kind) {
      case 'listen': {
        const handOver = handOverTo(command.peers);
        for (const descriptor of command.descriptors) agent.sockets.listen(descriptor, handOver);
        break;
      }
      case 'adopt':
        command.from.on('message', (descriptor: number) => agent.sockets.adopt(descriptor));
        break;
      case 'tls':
        agent.sockets.useTls(command.tls);
        break;
      case 'refuse':
        agent.sockets.refuse();
        settle(agent);
        break;
      case 'stop':
        agent.close();
        doorbell.close();
        port.close();
        break;
    }
  });
  report({ kind: 'ready' });
  agent.rung();
});
