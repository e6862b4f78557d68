/** The header fields of a pull (11, 361), read once; see PullMessageRequestHeader. */
import { ABSENT, type FieldTable } from '../../protocol/field-table.ts';
import type { RequestView } from '../../protocol/request-view.ts';

export const PULL_COMMIT_OFFSET = 1;
export const PULL_SUSPEND = 2;
export const PULL_SUBSCRIPTION = 4;

const REQUIRED = [
  'consumerGroup',
  'topic',
  'queueId',
  'queueOffset',
  'maxMsgNums',
  'sysFlag',
  'commitOffset',
  'suspendTimeoutMillis',
  'subVersion',
] as const;

export class PullFields {
  group = ABSENT;
  topic = ABSENT;
  queueId = 0;
  queueOffset = 0;
  maxCount = 0;
  sysFlag = 0;
  commitOffset = 0;
  suspendMs = 0;
  subVersion = 0;
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
    this.group = this.#at[0] as number;
    this.topic = this.#at[1] as number;
    if (this.group === ABSENT) this.problem = REQUIRED[0];
    else if (this.topic === ABSENT) this.problem = REQUIRED[1];
    this.queueId = this.#integer(table, 2);
    this.queueOffset = this.#integer(table, 3);
    this.maxCount = this.#integer(table, 4);
    this.sysFlag = this.#integer(table, 5);
    this.commitOffset = this.#integer(table, 6);
    this.suspendMs = this.#integer(table, 7);
    this.subVersion = this.#integer(table, 8);
  }

  #find(table: FieldTable): void {
    this.#at = table.notes(this.#own);
    for (let i = 0; i < REQUIRED.length; i++) this.#at[i] = table.find(REQUIRED[i] as string);
  }

  #integer(table: FieldTable, place: number): number {
    const value = table.integer(this.#at[place] as number);
    if (!Number.isNaN(value)) return value;
    this.problem ??= REQUIRED[place];
    return 0;
  }
}
