/**
 * How far a slave is behind its master, for operators: by what the master says of the end of its log and of its newest
 * message. RocketMQ's masters do not say when that was stored; then only the bytes are known.
 */
import { RequestCode, ResponseCode } from '../../protocol/codes.ts';
import { requestCommand } from '../../protocol/command.ts';
import { asObject, integerFrom, parseBody } from '../../protocol/json-fields.ts';
import { isAddress } from '../../remoting/address.ts';
import { CommandClient } from '../../remoting/command-client.ts';
import type { ClientTls } from '../../tls/settings.ts';

const TIMEOUT_MS = 3_000;

export interface Behind {
  bytes: number;
  /** Undefined: the master does not say. */
  ms: number | undefined;
}

export interface SlaveLagParts {
  tls: () => ClientTls | undefined;
  /** End of the own log, and store time of its last message. */
  end: () => number;
  newest: () => number;
}

export class SlaveLag {
  readonly #parts: SlaveLagParts;
  #client: CommandClient | undefined;
  #isAsking = false;
  #behind: Behind | undefined;

  constructor(parts: SlaveLagParts) {
    this.#parts = parts;
  }

  /** Undefined while the master does not answer. */
  get behind(): Behind | undefined {
    return this.#behind;
  }

  /** Where the master is; '' = there is none now. */
  follow(address: string): void {
    if (address === this.#client?.address || !isAddress(address)) return;
    this.#client?.close();
    this.#behind = undefined;
    this.#client = new CommandClient({ address, tls: this.#parts.tls });
  }

  /** Asks it; never rejects. */
  async ask(): Promise<void> {
    const client = this.#client;
    if (client === undefined || this.#isAsking) return;
    this.#isAsking = true;
    const behind = await this.#ask(client).catch(() => undefined);
    this.#isAsking = false;
    if (client === this.#client) this.#behind = behind;
  }

  close(): void {
    this.#client?.close();
    this.#client = undefined;
  }

  async #ask(client: CommandClient): Promise<Behind | undefined> {
    const { code, body } = await client.request(requestCommand(RequestCode.GET_BROKER_HA_STATUS), TIMEOUT_MS);
    const status = code === ResponseCode.SUCCESS ? asObject(parseBody(body)) : undefined;
    const end = integerFrom(status?.['masterCommitLogMaxOffset']);
    const newest = integerFrom(status?.['masterNewestStoreTimestamp']);
    if (end === undefined) return undefined;
    const bytes = Math.max(0, end - this.#parts.end());
    if (bytes === 0) return { bytes, ms: 0 };
    return { bytes, ms: newest === undefined ? undefined : Math.max(0, newest - this.#parts.newest()) };
  }
}
