/**
 * `capacity` frames side by side in one buffer, used in circular order and handed to the socket without a copy.
 *
 * Why a frame may be rewritten although the socket kept no copy: frame n reuses the bytes of frame n - capacity. Were
 * those still unsent, then so would be all frames after them (TCP keeps the order), which makes `capacity` unanswered
 * requests, and the window (= capacity) would not let frame n start.
 */
import { writeDecimal, writeHex, writeMillis } from './digits.ts';
import { type DuePlan, writeDeliverTime } from './due.ts';
import { COUNTER_DIGITS, type SendTemplate, TOPIC_DIGITS } from './send-template.ts';

export interface FrameRingOptions {
  capacity: number;
  topics: number;
  queues: number;
  /** Topic-queue that the first message goes to; connections start apart so that they do not march in step. */
  firstQueue: number;
  /** Only where each message has a time of its own. */
  due?: DuePlan;
}

export class FrameRing {
  readonly frameBytes: number;
  readonly capacity: number;
  readonly bytes: Buffer;
  readonly #template: SendTemplate;
  readonly #view: DataView;
  readonly #due: DuePlan | undefined;
  readonly #queues: number;
  readonly #queueCount: number;
  #nextQueue: number;
  #next = 0;
  #counter = 0;
  #millis = -1;
  readonly #millisText = new Uint8Array(13);

  constructor(template: SendTemplate, options: FrameRingOptions) {
    this.#template = template;
    this.frameBytes = template.bytes.length;
    this.capacity = options.capacity;
    this.bytes = Buffer.alloc(this.frameBytes * options.capacity);
    this.#view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length);
    for (let index = 0; index < options.capacity; index++)
      this.bytes.set(template.bytes, index * this.frameBytes);
    this.#due = options.due;
    this.#queues = options.queues;
    this.#queueCount = options.queues * options.topics;
    this.#nextQueue = options.firstQueue % this.#queueCount;
  }

  /** Position (0 … capacity - 1) of the frame that `fill` will write next. */
  get position(): number {
    return this.#next;
  }

  /** Messages in each frame. */
  get messages(): number {
    return this.#template.messages;
  }

  /** Messages made so far; the counter in the unique key of the next one. */
  get counter(): number {
    return this.#counter;
  }

  /** Sets the born timestamp of the frames to come; called once per write, not per message. */
  setMillis(millis: number): void {
    if (millis === this.#millis) return;
    this.#millis = millis;
    writeMillis(this.#millisText, 0, millis);
  }

  /** Completes the next frame. */
  fill(opaque: number): void {
    const template = this.#template;
    const bytes = this.bytes;
    const start = this.#next * this.frameBytes;
    if (template.header === 'json') writeDecimal(bytes, start + template.opaqueAt, 10, opaque);
    else this.#view.setInt32(start + template.opaqueAt, opaque);
    this.#fillCounters(start);
    const bornAt = start + template.bornAt;
    for (let digit = 0; digit < 13; digit++) bytes[bornAt + digit] = this.#millisText[digit] as number;
    this.#fillQueue(start);
    if (template.deliverTimeAt >= 0 && this.#due !== undefined)
      writeDeliverTime(bytes, start + template.deliverTimeAt, this.#due, this.#counter);
    this.#counter = (this.#counter + template.messages) | 0;
    this.#next = this.#next + 1 === this.capacity ? 0 : this.#next + 1;
  }

  #fillCounters(start: number): void {
    const { messages, messageStride, counterAt, batchCounterAt } = this.#template;
    const bytes = this.bytes;
    const first = this.#counter;
    if (batchCounterAt >= 0) writeHex(bytes, start + batchCounterAt, COUNTER_DIGITS, first);
    for (let message = 0; message < messages; message++) {
      const base = start + message * messageStride;
      for (let place = 0; place < counterAt.length; place++) {
        writeHex(bytes, base + (counterAt[place] as number), COUNTER_DIGITS, first + message);
      }
    }
  }

  #fillQueue(start: number): void {
    const template = this.#template;
    const topic = (this.#nextQueue / this.#queues) | 0;
    writeDecimal(this.bytes, start + template.queueAt, 1, this.#nextQueue - topic * this.#queues);
    if (template.topicAt >= 0) writeDecimal(this.bytes, start + template.topicAt, TOPIC_DIGITS, topic);
    this.#nextQueue = this.#nextQueue + 1 === this.#queueCount ? 0 : this.#nextQueue + 1;
  }
}
