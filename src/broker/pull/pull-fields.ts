/** The header fields of a pull (11, 361), read once; see PullMessageRequestHeader. */
import { MAX_SUSPEND_MS } from '../../lib/limits.ts';
import { ABSENT, type FieldTable } from '../../protocol/field-table.ts';
import type { RequestView } from '../../protocol/request-view.ts';

export const PULL_COMMIT_OFFSET = 1;
export const PULL_SUSPEND = 2;
export const PULL_SUBSCRIPTION = 4;

const MAX_INT32 = 0x7f_ff_ff_ff;

/** The last one may be missing. */
const NAMES = [
  'consumerGroup',
  'topic',
  'queueId',
  'queueOffset',
  'maxMsgNums',
  'sysFlag',
  'commitOffset',
  'suspendTimeoutMillis',
  'subVersion',
  'liteTopic',
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
  /** The lite topic below the topic that is read. */
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
    this.group = this.#at[0] as number;
    this.topic = this.#at[1] as number;
    if (this.group === ABSENT) this.problem = NAMES[0];
    else if (this.topic === ABSENT) this.problem = NAMES[1];
    this.queueId = this.#within(table, 2, MAX_INT32);
    // Any long: what lies past the end of the queue is answered with its end.
    this.queueOffset = Math.min(this.#integer(table, 3), Number.MAX_SAFE_INTEGER);
    this.maxCount = this.#within(table, 4, MAX_INT32);
    this.sysFlag = this.#within(table, 5, MAX_INT32);
    this.commitOffset = this.#within(table, 6, Number.MAX_SAFE_INTEGER);
    this.suspendMs = Math.min(this.#integer(table, 7), MAX_SUSPEND_MS);
    this.subVersion = this.#integer(table, 8);
    this.liteTopic = this.#at[9] as number;
  }

  #find(table: FieldTable): void {
    this.#at = table.notes(this.#own);
    for (let i = 0; i < NAMES.length; i++) this.#at[i] = table.find(NAMES[i] as string);
  }

  /** What is larger than its field can mean is as good as missing, as for RocketMQ, which cannot parse it. */
  #within(table: FieldTable, place: number, most: number): number {
    const value = this.#integer(table, place);
    if (value <= most && value >= -most) return value;
    this.problem ??= NAMES[place];
    return 0;
  }

  #integer(table: FieldTable, place: number): number {
    const value = table.integer(this.#at[place] as number);
    if (!Number.isNaN(value)) return value;
    this.problem ??= NAMES[place];
    return 0;
  }
}
