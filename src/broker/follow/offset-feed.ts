/**
 * Consumer offsets of a master as a slave asks for them: those that have changed since the last time (30004), the whole
 * table in parts at first, or as one (43) where the master is RocketMQ.
 */
import { MAX_OFFSETS } from '../../lib/limits.ts';
import { RequestCode } from '../../protocol/codes.ts';
import { entriesOf, integerFrom } from '../../protocol/json-fields.ts';
import type { RocketJson, RocketJsonObject } from '../../protocol/rocketmq-json.ts';
import type { MasterAsks, MasterTable } from './master-asks.ts';
import { OFFSETS_PAGE } from './offsets-since.ts';

export const OFFSETS: MasterTable = {
  code: RequestCode.GET_ALL_CONSUMER_OFFSET,
  what: 'consumer offsets',
  field: 'offsetTable',
};

/** Parts of changes that are asked for in a round: a master where more changes has to wait for the next one. */
const MOST_PARTS = 64;
/** Parts of the whole table, some of which are asked for again as topics and groups go meanwhile. */
const MOST_OF_WHOLE = (2 * MAX_OFFSETS) / OFFSETS_PAGE;

/** What is new, as tables `{"topic@group":{queueId:offset}}`; `took` is to be called when all are taken over. */
export interface OffsetNews {
  tables: readonly (RocketJson | undefined)[];
  took: () => void;
}

interface Copy {
  life: string;
  revision: number;
}

export class OffsetFeed {
  readonly #asks: MasterAsks;
  #copy: Copy | undefined;

  constructor(asks: MasterAsks) {
    this.#asks = asks;
  }

  /** Another master, or nobody knows which: what is known of it counts no more. */
  forget(): void {
    this.#copy = undefined;
  }

  /** Undefined: nothing is. */
  async news(): Promise<OffsetNews | undefined> {
    if (this.#copy === undefined) return (await this.#wholeInParts()) ?? this.#newsAsOne();
    const copy = { ...this.#copy };
    const tables: OffsetNews['tables'][number][] = [];
    while (tables.length < MOST_PARTS) {
      const part = await this.#ask({ life: copy.life, revision: String(copy.revision) });
      if (part === undefined || part['isWhole'] !== false) return this.whole();
      const { revision } = copyOf(part);
      if (revision <= copy.revision) break;
      tables.push(part['offsetTable']);
      copy.revision = revision;
    }
    return tables.length === 0 ? undefined : { tables, took: () => this.#took(copy) };
  }

  /** The whole table. */
  async whole(): Promise<OffsetNews> {
    const inParts = await this.#wholeInParts();
    if (inParts !== undefined) return inParts;
    const table = await this.#asks.whole(OFFSETS);
    return { tables: [table[OFFSETS.field]], took: () => {} };
  }

  async #newsAsOne(): Promise<OffsetNews | undefined> {
    const news = await this.#asks.news(OFFSETS);
    return news && { tables: [news.table[OFFSETS.field]], took: news.took };
  }

  /**
   * Undefined where the master tells it as one only. What changes meanwhile is told as changed since the first part;
   * but where pairs go, those behind them move to before the next part, which therefore begins some pairs earlier.
   */
  async #wholeInParts(): Promise<OffsetNews | undefined> {
    const tables: OffsetNews['tables'][number][] = [];
    let copy: Copy | undefined;
    let pairsRevision = 0;
    /** Pairs up to the one of this number have been told. */
    let taken = 0;
    let overlap = 0;
    while (tables.length < MOST_OF_WHOLE) {
      const first = Math.max(0, taken - overlap);
      const part = await this.#ask({ first: String(first) });
      if (part === undefined) return undefined;
      const told = { ...copyOf(part), pairsRevision: integerFrom(part['pairsRevision'] ?? null) ?? 0 };
      const moved = copy === undefined ? 0 : Math.max(0, told.pairsRevision - pairsRevision);
      const begun = copy ?? told;
      if (told.life !== begun.life) throw new Error("the master's consumer offsets are another table by now");
      [copy, pairsRevision] = [begun, told.pairsRevision];
      tables.push(part['offsetTable']);
      const { length } = entriesOf(part['offsetTable']);
      taken = Math.max(0, taken - moved);
      overlap = Math.min(2 * moved, OFFSETS_PAGE / 2);
      // Else some between the parts are not told yet.
      if (first > taken) continue;
      if (length < OFFSETS_PAGE) return { tables, took: () => this.#took(begun) };
      taken = Math.max(taken, first + length);
    }
    throw new Error("the master's consumer offsets change faster than they are told");
  }

  #took(copy: Copy): void {
    this.#copy = copy;
  }

  #ask(fields: Record<string, string>): Promise<RocketJsonObject | undefined> {
    return this.#asks.ifKnown(RequestCode.GET_OFFSETS_SINCE, { ...fields, count: String(OFFSETS_PAGE) });
  }
}

function copyOf(part: RocketJsonObject): Copy {
  const [life, revision] = [part['life'], integerFrom(part['revision'] ?? null)];
  if (typeof life !== 'string' || revision === undefined)
    throw new Error("the master's consumer offsets are no table");
  return { life, revision };
}
