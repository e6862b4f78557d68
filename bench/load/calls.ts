/** Requests of the control kind over a consuming connection (heartbeat, offsets), beside its pulls or pops. */
import { FLAG_RESPONSE, isResponse, type RemotingCommand } from '../../src/protocol/command.ts';
import { decodeCommand, encodeCommand } from '../../src/protocol/command-codec.ts';
import { OPAQUE_BASE } from './send-template.ts';

/** Whoever can be asked something. */
export interface Caller {
  /** Never rejects: a connection that ends is heard of otherwise. */
  call(command: RemotingCommand): Promise<RemotingCommand>;
}

/** Their opaques lie below those of pulls and pops. */
export class Calls implements Caller {
  readonly #write: (bytes: Uint8Array) => void;
  readonly #waiting = new Map<number, (answer: RemotingCommand) => void>();
  #last = 0;

  constructor(write: (bytes: Uint8Array) => void) {
    this.#write = write;
  }

  call(command: RemotingCommand): Promise<RemotingCommand> {
    const opaque = ++this.#last;
    this.#write(encodeCommand({ ...command, opaque }));
    return new Promise((resolve) => this.#waiting.set(opaque, resolve));
  }

  isControl(opaque: number): boolean {
    return opaque < OPAQUE_BASE;
  }

  /**
   * An answer to `call`, or a request of the broker's own (a change of consumers), which needs none; the frame is without
   * its length field. False = an answer that nobody waits for.
   */
  take(frame: Uint8Array): boolean {
    const command = decodeCommand(Uint8Array.from(frame));
    const settle = isResponse(command) ? this.#waiting.get(command.opaque) : undefined;
    if (settle === undefined) return (command.flag & FLAG_RESPONSE) === 0;
    this.#waiting.delete(command.opaque);
    settle(command);
    return true;
  }
}
