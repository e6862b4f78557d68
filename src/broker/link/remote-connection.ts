/** A client's connection as control sees it; its socket lives in a network thread. */

import type { RemotingCommand } from '../../protocol/command.ts';
import type { ClientConnection } from '../../remoting/connection.ts';

export interface ConnectionOutlet {
  send(slot: number, generation: number, command: RemotingCommand): void;
  close(slot: number, generation: number): void;
}

interface PendingRequest {
  resolve: (response: RemotingCommand) => void;
  reject: (error: Error) => void;
  timer: NodeJS.Timeout;
}

export class RemoteConnection implements ClientConnection {
  readonly id: string;
  readonly remoteAddress: string;
  readonly slot: number;
  readonly generation: number;
  /** Its requests that are answered later. */
  underWay = 0;
  #subject: string | undefined;
  readonly #outlet: ConnectionOutlet;
  readonly #pending = new Map<number, PendingRequest>();
  #opaque = 0;

  constructor(
    thread: number,
    slot: number,
    generation: number,
    remoteAddress: string,
    outlet: ConnectionOutlet,
  ) {
    this.id = `${thread}-${slot}-${generation}`;
    this.slot = slot;
    this.generation = generation;
    this.remoteAddress = remoteAddress;
    this.#outlet = outlet;
  }

  get subject(): string | undefined {
    return this.#subject;
  }

  identified(subject: string): void {
    this.#subject = subject;
  }

  send(command: RemotingCommand): void {
    this.#outlet.send(this.slot, this.generation, command);
  }

  request(command: RemotingCommand, timeoutMs: number): Promise<RemotingCommand> {
    const opaque = this.#opaque++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(opaque);
        reject(new Error(`the client ${this.remoteAddress} did not answer within ${timeoutMs} ms`));
      }, timeoutMs);
      this.#pending.set(opaque, { resolve, reject, timer });
      this.send({ ...command, opaque });
    });
  }

  close(): void {
    this.#outlet.close(this.slot, this.generation);
  }

  /** A response came over this connection; one that nobody waits for any more is dropped. */
  answered(response: RemotingCommand): void {
    const pending = this.#pending.get(response.opaque);
    if (pending === undefined) return;
    this.#pending.delete(response.opaque);
    clearTimeout(pending.timer);
    pending.resolve(response);
  }

  /** The connection has ended: nothing will be answered any more. */
  ended(): void {
    for (const { reject, timer } of this.#pending.values()) {
      clearTimeout(timer);
      reject(new Error(`the connection to ${this.remoteAddress} has ended`));
    }
    this.#pending.clear();
  }
}
