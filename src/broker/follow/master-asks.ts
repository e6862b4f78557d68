/** Requests of a slave to its master. What a table says is looked at only when its bytes are others than last time. */
import { RequestCode, ResponseCode, requestName, responseName } from '../../protocol/codes.ts';
import { type RemotingCommand, requestCommand } from '../../protocol/command.ts';
import { asObject, entriesOf, integerFrom } from '../../protocol/json-fields.ts';
import { parseRocketJson, type RocketJsonObject, writeRocketJson } from '../../protocol/rocketmq-json.ts';
import { CommandClient } from '../../remoting/command-client.ts';
import type { ClientTls } from '../../tls/settings.ts';

const TIMEOUT_MS = 5_000;
/** Entries of a page: a topic takes some 200 bytes, and an answer 16 MiB. */
const PAGE = 20_000;
/** A table has no more of them. */
const MOST_PAGES = 1_000;

/** A table that the master tells as a whole. */
export interface MasterTable {
  readonly code: number;
  /** As a line of the log names it. */
  readonly what: string;
  /** Where in the answer's JSON it stands. */
  readonly field: string;
  /** Names of the fields that ask for a part of it, and of the answer's that says how many entries there are. */
  readonly pages?: { first: string; count: string; total: string };
}

/** A part of a table: as it came, and what it says. */
interface Page {
  readonly body: Buffer;
  readonly part: RocketJsonObject;
}

export class MasterAsks {
  readonly #tls: () => ClientTls | undefined;
  #client: CommandClient | undefined;
  /** What was taken over, by code. */
  readonly #taken = new Map<number, Buffer>();
  /** Codes that the master does not know: each ask would be an error in its log. */
  readonly #unknown = new Set<number>();

  #bytes = 0;

  constructor(tls: () => ClientTls | undefined) {
    this.#tls = tls;
  }

  /** `host:port` of the master as clients know it; undefined = it is not known. */
  get address(): string | undefined {
    return this.#client?.address;
  }

  /** True when that is another master than before, of whom nothing is known. */
  follow(address: string): boolean {
    if (address === this.#client?.address) return false;
    this.#client?.close();
    this.#client = new CommandClient({ address, tls: this.#tls });
    this.forget();
    return true;
  }

  close(): void {
    this.#client?.close();
  }

  /** It may be another broker by now: all is asked and looked at again. */
  forget(): void {
    this.#taken.clear();
    this.#unknown.clear();
  }

  async request(request: RemotingCommand): Promise<RemotingCommand> {
    const response = await (this.#client as CommandClient).request(request, TIMEOUT_MS);
    this.#bytes += response.body?.length ?? 0;
    return response;
  }

  /** Bytes of what was told since this was asked last. */
  takeBytes(): number {
    const bytes = this.#bytes;
    this.#bytes = 0;
    return bytes;
  }

  /** Where the master's log ends, by its own word; undefined when it does not say. */
  async end(): Promise<number | undefined> {
    const code = RequestCode.GET_BROKER_HA_STATUS;
    const status = await this.whole({ code, what: 'state', field: 'haClientRuntimeInfo' });
    const end = integerFrom(status['masterCommitLogMaxOffset']);
    return end !== undefined && end >= 0 ? end : undefined;
  }

  /** An answer without its table is none: it must not delete what is there. */
  async whole(table: MasterTable): Promise<RocketJsonObject> {
    return parsed(table, bodyOf(await this.#ask(table)));
  }

  /** The same; undefined when it says what was taken over already. `took` is to be called when it is. */
  async news(table: MasterTable): Promise<{ table: RocketJsonObject; took: () => void } | undefined> {
    const response = await this.request(requestCommand(table.code, {}));
    // One that does not fit into an answer is refused.
    const inPages = response.code !== ResponseCode.SUCCESS && table.pages !== undefined;
    const pages = inPages ? await this.#pagesOf(table, table.pages) : undefined;
    const body =
      pages === undefined ? bodyOf(checked(table, response)) : Buffer.concat(pages.map((page) => page.body));
    if (this.#isTaken(table.code, body)) return undefined;
    const whole = pages === undefined ? parsed(table, body) : joined(table, pages);
    return { table: whole, took: () => void this.#taken.set(table.code, body) };
  }

  async #pagesOf(table: MasterTable, { first, count, total }: NonNullable<MasterTable['pages']>) {
    const pages: Page[] = [];
    for (let taken = 0; ; ) {
      const fields = { [first]: String(taken), [count]: String(PAGE) };
      const answer = checked(table, await this.request(requestCommand(table.code, fields)));
      const body = bodyOf(answer);
      const part = parsed(table, body);
      const entries = entriesOf(part[table.field]).length;
      if (pages.length >= MOST_PAGES) throw new Error(`the master's ${table.what} have no end`);
      pages.push({ body, part });
      taken += entries;
      if (entries === 0 || !(taken < Number(answer.fields[total]))) return pages;
    }
  }

  /** The same of a request that not every master knows, or has an answer to: undefined then, too. */
  async newsIfAny(code: number): Promise<{ body: Buffer; took: () => void } | undefined> {
    const response = await this.#responseIfKnown(code, {});
    if (response === undefined) return undefined;
    const body = bodyOf(response);
    if (response.code !== ResponseCode.SUCCESS || body.length === 0 || this.#isTaken(code, body))
      return undefined;
    return { body, took: () => void this.#taken.set(code, body) };
  }

  /** The answer's JSON; undefined when the master does not know the request. Rejects when it refuses. */
  async ifKnown(code: number, fields: Record<string, string>): Promise<RocketJsonObject | undefined> {
    const response = await this.#responseIfKnown(code, fields);
    if (response === undefined) return undefined;
    const { body } = checked({ what: requestName(code) }, response);
    const json = asObject(parseRocketJson(Buffer.from(body ?? []).toString('utf8')));
    if (json === undefined) throw new Error(`the master's answer to ${requestName(code)} is no object`);
    return json;
  }

  /** Undefined when the master does not know the request, which it is asked for once then. */
  async #responseIfKnown(code: number, fields: Record<string, string>): Promise<RemotingCommand | undefined> {
    if (this.#unknown.has(code)) return undefined;
    const response = await this.request(requestCommand(code, fields));
    if (response.code !== ResponseCode.REQUEST_CODE_NOT_SUPPORTED) return response;
    this.#unknown.add(code);
    return undefined;
  }

  #isTaken(code: number, body: Buffer): boolean {
    return this.#taken.get(code)?.equals(body) === true;
  }

  async #ask(table: MasterTable): Promise<RemotingCommand> {
    return checked(table, await this.request(requestCommand(table.code, {})));
  }
}

function checked({ what }: Pick<MasterTable, 'what'>, response: RemotingCommand): RemotingCommand {
  if (response.code === ResponseCode.SUCCESS) return response;
  throw new Error(
    `the master does not tell its ${what}: ${responseName(response.code)} ${response.remark ?? ''}`,
  );
}

/** Parts of one table as one; they must be of the same version, or the table is none that the master ever had. */
function joined({ what, field }: MasterTable, pages: readonly Page[]): RocketJsonObject {
  const parts = pages.map(({ part }) => part);
  const [first = {}, ...others] = parts;
  if (others.length === 0) return first;
  const version = writeRocketJson(first['dataVersion'] ?? null);
  if (others.some((part) => writeRocketJson(part['dataVersion'] ?? null) !== version))
    throw new Error(`the master's ${what} have changed while they were told`);
  return { ...first, [field]: new Map(parts.flatMap((part) => entriesOf(part[field]))) };
}

function bodyOf({ body }: RemotingCommand): Buffer {
  return Buffer.from(body ?? []);
}

function parsed({ what, field }: MasterTable, body: Buffer): RocketJsonObject {
  const table = asObject(parseRocketJson(body.toString('utf8')));
  if (asObject(table?.[field]) === undefined) throw new Error(`the master's ${what} are no table`);
  return table as RocketJsonObject;
}
