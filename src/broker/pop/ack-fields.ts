/** The header fields of an acknowledgement (200051), read once; see AckMessageRequestHeader. */
import { ABSENT, type FieldTable } from '../../protocol/field-table.ts';
import type { RequestView } from '../../protocol/request-view.ts';

const REQUIRED = ['consumerGroup', 'topic', 'extraInfo', 'queueId', 'offset'] as const;
const TEXTS = 3;

export class AckFields {
  group = ABSENT;
  topic = ABSENT;
  receipt = ABSENT;
  queueId = 0;
  offset = 0;
  /** Name of the first required field that is missing or no number. */
  problem: string | undefined;
  /** Field index by place in REQUIRED. */
  #at: Int32Array = new Int32Array(REQUIRED.length);
  readonly #own = this.#at;

  locate(request: RequestView): void {
    const table = request.fields;
    this.problem = undefined;
    if (table.located !== undefined) this.#at = table.located;
    else this.#find(table);
    for (let i = 0; i < TEXTS; i++) if (this.#at[i] === ABSENT) this.problem ??= REQUIRED[i];
    this.group = this.#at[0] as number;
    this.topic = this.#at[1] as number;
    this.receipt = this.#at[2] as number;
    this.queueId = this.#integer(table, 3);
    this.offset = this.#integer(table, 4);
  }

  #find(table: FieldTable): void {
    this.#at = table.notes(this.#own);
    for (let i = 0; i < REQUIRED.length; i++) this.#at[i] = table.find(REQUIRED[i] as string);
  }

  #integer(table: FieldTable, place: number): number {
    const value = table.integer(this.#at[place] as number);
    if (Number.isSafeInteger(value)) return value;
    this.problem ??= REQUIRED[place];
    return 0;
  }
}
