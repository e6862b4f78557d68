/** The header fields of an acknowledgement (200051), read once; see AckMessageRequestHeader. */
import { ABSENT, type FieldTable } from '../../protocol/field-table.ts';
import type { RequestView } from '../../protocol/request-view.ts';

/** The last one may be missing. */
const NAMES = ['consumerGroup', 'topic', 'extraInfo', 'queueId', 'offset', 'liteTopic'] as const;
const TEXTS = 3;

export class AckFields {
  group = ABSENT;
  topic = ABSENT;
  receipt = ABSENT;
  queueId = 0;
  offset = 0;
  /** Of a message that was popped from a lite topic. */
  liteTopic = ABSENT;
  /** Name of the first required field that is missing or no number. */
  problem: string | undefined;
  /** Field index by place in NAMES. */
  #at: Int32Array = new Int32Array(NAMES.length);
  readonly #own = this.#at;

  locate(request: RequestView): void {
    const table = request.fields;
    this.problem = undefined;
    if (table.located !== undefined) this.#at = table.located;
    else this.#find(table);
    for (let i = 0; i < TEXTS; i++) if (this.#at[i] === ABSENT) this.problem ??= NAMES[i];
    this.group = this.#at[0] as number;
    this.topic = this.#at[1] as number;
    this.receipt = this.#at[2] as number;
    this.liteTopic = this.#at[5] as number;
    this.queueId = this.#integer(table, 3);
    this.offset = this.#integer(table, 4);
  }

  #find(table: FieldTable): void {
    this.#at = table.notes(this.#own);
    for (let i = 0; i < NAMES.length; i++) this.#at[i] = table.find(NAMES[i] as string);
  }

  #integer(table: FieldTable, place: number): number {
    const value = table.integer(this.#at[place] as number);
    if (Number.isSafeInteger(value)) return value;
    this.problem ??= NAMES[place];
    return 0;
  }
}
