/**
 * Replies on their way to the clients that wait for them. A client says of each that it has it; who says nothing, or
 * does not read, must not hold up other requests: what has not been answered is bounded, of a client and of all.
 */
import {
  limitRemark,
  MAX_PUSH_BYTES,
  MAX_PUSH_BYTES_PER_CLIENT,
  MAX_PUSHES,
  MAX_PUSHES_PER_CLIENT,
} from '../../lib/limits.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import type { RemotingCommand } from '../../protocol/command.ts';
import { RequestError } from '../../protocol/request-fields.ts';
import type { ClientConnection } from '../../remoting/connection.ts';

/** RocketMQ's. */
const TIMEOUT_MS = 10_000;
/** What a reply costs beside its body and properties, roughly. */
const REPLY_BYTES = 1024;

/** What has not been answered: by one connection, or by all. */
class Unanswered {
  count = 0;
  bytes = 0;

  add(bytes: number): void {
    this.count += 1;
    this.bytes += bytes;
  }

  remove(bytes: number): void {
    this.count -= 1;
    this.bytes -= bytes;
  }
}

export class ReplyPushes {
  readonly #clients = new Map<string, Unanswered>();
  readonly #all = new Unanswered();

  /** Replies that wait for an answer of their client. */
  get underWay(): number {
    return this.#all.count;
  }

  /**
   * Resolves with the client's answer; rejects when none comes in time. Throws a RequestError (SYSTEM_BUSY) that names
   * the limit when too many wait for theirs.
   */
  push(connection: ClientConnection, reply: RemotingCommand): Promise<RemotingCommand> {
    const bytes = REPLY_BYTES + (reply.body?.length ?? 0) + (reply.fields['properties']?.length ?? 0);
    const client = this.#clients.get(connection.id) ?? new Unanswered();
    const full = fullness(this.#all, client, bytes);
    if (full !== undefined) throw new RequestError(ResponseCode.SYSTEM_BUSY, full);
    this.#clients.set(connection.id, client);
    this.#all.add(bytes);
    client.add(bytes);
    return connection.request(reply, TIMEOUT_MS).finally(() => {
      this.#all.remove(bytes);
      client.remove(bytes);
      if (client.count === 0) this.#clients.delete(connection.id);
    });
  }
}

/** The limit that is reached; undefined while there is room. */
function fullness(all: Unanswered, client: Unanswered, bytes: number): string | undefined {
  const ofAll = 'replies that clients have not answered';
  const ofClient = 'replies that the requester has not answered';
  if (all.count >= MAX_PUSHES) return limitRemark(ofAll, MAX_PUSHES, 'MAX_PUSHES');
  if (client.count >= MAX_PUSHES_PER_CLIENT) {
    return limitRemark(ofClient, MAX_PUSHES_PER_CLIENT, 'MAX_PUSHES_PER_CLIENT');
  }
  if (all.bytes + bytes > MAX_PUSH_BYTES) {
    return limitRemark(`bytes of ${ofAll}`, MAX_PUSH_BYTES, 'MAX_PUSH_BYTES');
  }
  // A reply that is alone goes in any case.
  if (client.count > 0 && client.bytes + bytes > MAX_PUSH_BYTES_PER_CLIENT) {
    return limitRemark(`bytes of ${ofClient}`, MAX_PUSH_BYTES_PER_CLIENT, 'MAX_PUSH_BYTES_PER_CLIENT');
  }
  return undefined;
}
