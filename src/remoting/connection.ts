/** What a request handler sees of the other side, and what it may answer. */
import type { RemotingCommand } from '../protocol/command.ts';

/** A client's connection, wherever its socket lives (network thread, slot, generation). */
export interface ClientConnection {
  /** Unique per connection within the process; equal for every request of one connection. */
  readonly id: string;
  /** `ip:port` of the peer, IPv4-mapped addresses already shortened. */
  readonly remoteAddress: string;
  /** Of the certificate that the peer has shown by TLS (peerSubject); undefined without one. */
  readonly subject?: string | undefined;
  /** Sends a frame that expects no answer (one-way request or late response). */
  send(command: RemotingCommand): void;
  /** Sends a request and resolves with its response; rejects after `timeoutMs` or when the connection closes. */
  request(command: RemotingCommand, timeoutMs: number): Promise<RemotingCommand>;
  close(): void;
}

/** `undefined` = no answer (one-way request, or the handler answers later by `connection.send`). */
export type Reply = RemotingCommand | undefined;

export type ControlHandler = (
  request: RemotingCommand,
  connection: ClientConnection,
) => Reply | Promise<Reply>;

/**
 * Where the folder reports what goes wrong without failing anybody's call. `kind` groups lines that clients can cause
 * in any number: they differ in what they quote. `fault`: an error that only a fault of ours explains.
 */
export type Log = (message: string, kind?: string, fault?: Error) => void;
