/**
 * The header fields of a send, located once. SEND_MESSAGE (10) names them in full, SEND_MESSAGE_V2 (310) and
 * SEND_BATCH_MESSAGE (320) by single letters.
 */
import { ABSENT, type FieldTable } from '../../protocol/field-table.ts';

const LOWER_A = 0x61;
const LETTERS = 14;

const LONG_NAMES = [
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
  /** Name of the first required field that is missing or no number; undefined when all is well. */
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
    this.queueId = this.#int(table, QUEUE_ID);
    this.sysFlag = this.#int(table, SYS_FLAG);
    this.bornTimestamp = this.#int(table, BORN);
    this.flag = this.#int(table, FLAG);
    this.reconsumeTimes = this.#fields[RECONSUME] === ABSENT ? 0 : this.#int(table, RECONSUME);
    this.batch = table.isTrue(this.#fields[BATCH] as number);
  }

  defaultTopic(table: FieldTable): string {
    return table.text(this.#fields[DEFAULT_TOPIC] as number);
  }

  defaultTopicQueueNums(table: FieldTable): number {
    return table.integer(this.#fields[DEFAULT_QUEUES] as number);
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

  #int(table: FieldTable, place: number): number {
    const value = table.integer(this.#fields[place] as number);
    if (!Number.isNaN(value)) return value;
    this.problem ??= LONG_NAMES[place];
    return 0;
  }
}
