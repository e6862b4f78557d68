/**
 * The header fields of a send, located once. SEND_MESSAGE (10) and SEND_REPLY_MESSAGE (324) name them in full,
 * SEND_MESSAGE_V2 (310), SEND_BATCH_MESSAGE (320) and SEND_REPLY_MESSAGE_V2 (325) by single letters.
 */
import { limitRemark, MAX_NAME, MAX_QUEUES_PER_TOPIC } from '../../lib/limits.ts';
import { ABSENT, type FieldTable } from '../../protocol/field-table.ts';

const LOWER_A = 0x61;
const LETTERS = 14;

/** By letter, from a on. */
export const LONG_NAMES = [
  'producerGroup',
  'topic',
  'defaultTopic',
  'defaultTopicQueueNums',
  'queueId',
  'sysFlag',
  'bornTimestamp',
  'flag',
  'properties',
  'reconsumeTimes',
  'unitMode',
  'maxReconsumeTimes',
  'batch',
] as const;

// Places of the letters a to m.
const TOPIC = 1;
const DEFAULT_TOPIC = 2;
const DEFAULT_QUEUES = 3;
const QUEUE_ID = 4;
const SYS_FLAG = 5;
const BORN = 6;
const FLAG = 7;
const PROPERTIES = 8;
const RECONSUME = 9;
const UNIT = 10;
const BATCH = 12;
/** a to h must be there. */
const REQUIRED = 8;

export class SendFields {
  queueId = 0;
  sysFlag = 0;
  bornTimestamp = 0;
  flag = 0;
  reconsumeTimes = 0;
  batch = false;
  /** Field indexes in the table, or ABSENT. */
  topic = ABSENT;
  properties = ABSENT;
  /** Name of the first required field that is missing or no number of its kind; undefined when all is well. */
  problem: string | undefined;
  /** Field index by letter. */
  #fields: Int32Array = new Int32Array(LETTERS);
  readonly #own = this.#fields;

  /** Locates the fields of a send; `problem` says whether they can be used. */
  locate(table: FieldTable, letters: boolean): void {
    if (table.located !== undefined) this.#fields = table.located;
    else this.#find(table, letters);
    this.problem = undefined;
    for (let i = 0; i < REQUIRED; i++) if (this.#fields[i] === ABSENT) this.problem ??= LONG_NAMES[i];
    this.topic = this.#fields[TOPIC] as number;
    this.properties = this.#fields[PROPERTIES] as number;
    this.queueId = this.#int32(table, QUEUE_ID);
    this.sysFlag = this.#int32(table, SYS_FLAG);
    this.bornTimestamp = this.#integer(table, BORN);
    this.flag = this.#int32(table, FLAG);
    this.reconsumeTimes = this.#fields[RECONSUME] === ABSENT ? 0 : this.#int32(table, RECONSUME);
    this.batch = table.isTrue(this.#fields[BATCH] as number);
  }

  defaultTopic(table: FieldTable): string {
    return table.text(this.#fields[DEFAULT_TOPIC] as number);
  }

  /** As asked for, within what a topic may have; 0 for what is no number. */
  defaultTopicQueueNums(table: FieldTable): number {
    const queues = table.integer(this.#fields[DEFAULT_QUEUES] as number);
    return queues > 0 ? Math.min(queues, MAX_QUEUES_PER_TOPIC) : 0;
  }

  /** Why no topic can be made for this send, undefined when one can: what is said here travels to control. */
  creationProblem(table: FieldTable): string | undefined {
    const length = table.valueLength[this.#fields[DEFAULT_TOPIC] as number] as number;
    if (length <= MAX_NAME) return undefined;
    return limitRemark('bytes in the field defaultTopic', MAX_NAME, 'MAX_NAME');
  }

  unitMode(table: FieldTable): boolean {
    return table.isTrue(this.#fields[UNIT] as number);
  }

  #find(table: FieldTable, letters: boolean): void {
    this.#fields = table.notes(this.#own);
    this.#fields.fill(ABSENT);
    if (letters) this.#byLetter(table);
    else for (let i = 0; i < LONG_NAMES.length; i++) this.#fields[i] = table.find(LONG_NAMES[i] as string);
  }

  #byLetter(table: FieldTable): void {
    for (let i = 0; i < table.count; i++) {
      if (table.nameLength[i] !== 1) continue;
      const letter = (table.bytes[table.nameStart(i)] as number) - LOWER_A;
      if (letter >= 0 && letter < LETTERS) this.#fields[letter] = i;
    }
  }

  /** Like RocketMQ, which cannot parse it, this takes a larger number for none. */
  #int32(table: FieldTable, place: number): number {
    const value = this.#integer(table, place);
    if ((value | 0) === value) return value;
    this.problem ??= LONG_NAMES[place];
    return 0;
  }

  #integer(table: FieldTable, place: number): number {
    const value = table.integer(this.#fields[place] as number);
    if (!Number.isNaN(value)) return value;
    this.problem ??= LONG_NAMES[place];
    return 0;
  }
}
