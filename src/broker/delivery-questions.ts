/**
 * A network thread's end of its way to the delivery agent: handlers put questions into it, and the answers that come
 * back are sent here, or by whoever takes answers of that type.
 */
import type { Connection } from '../net/connection.ts';
import { AT_ONCE, callOf, LONG_POLLING, LOST } from '../protocol/call-kinds.ts';
import { ResponseCode } from '../protocol/codes.ts';
import { FLAG_ONEWAY, responseTo, SERIALIZE_BINARY, SERIALIZE_JSON } from '../protocol/command.ts';
import { encodeCommand } from '../protocol/command-codec.ts';
import type { RequestView } from '../protocol/request-view.ts';
import type { ChannelReceiver, ChannelSender } from '../ring/channel.ts';
import type { Counters } from '../ring/counters.ts';
import {
  ANSWERED,
  ANSWERED_CODE,
  ANSWERED_HEAD,
  type AnsweredFields,
  type Asking,
  emptyAsking,
  FIELDS,
  GONE,
  POP_UNTAKEN,
  QUESTION_BINARY,
  QUESTION_CALL,
  QUESTION_HEAD,
  QUESTION_ONEWAY,
  QUESTION_PARKS,
  QUESTION_WAITED,
  readAsking,
  writeAsking,
} from '../ring/question-records.ts';
import { FULL } from '../ring/spsc-ring.ts';
import { FieldAnswers } from './field-answers.ts';
import { countRefusal } from './refusals.ts';
import { ReplyTemplate } from './reply-template.ts';
import type { Calls } from './stats/calls.ts';

export interface QuestionParts {
  up: ChannelSender;
  down: ChannelReceiver;
  counters: Counters;
  calls: Calls;
  /** Ms of the monotonic clock at the start of the turn, and of one that goes on within it. */
  now: () => number;
  clock: () => number;
  connectionOf: (slot: number, generation: number) => Connection | undefined;
  /** Has output; flush it at the end of the turn. */
  touched: (connection: Connection) => void;
  /** Delivery starts with what needs it first. */
  needsDelivery: () => void;
}

/** Sends an answer of its type; the payload behind the head is bytes[at, to). */
export type AnswerTaker = (
  connection: Connection,
  asking: Readonly<Asking>,
  bytes: Uint8Array,
  at: number,
  to: number,
) => void;

/** Hears of an answer of its type whose connection is closed. */
export type LostAnswerTaker = (bytes: Uint8Array, at: number, to: number) => void;

/** A hundred thousand acknowledgements a second are answered with this. */
const SUCCESS = new ReplyTemplate(ResponseCode.SUCCESS, undefined, {});

export class DeliveryQuestions {
  /** Questions that are to be answered soon. */
  underWay = 0;
  readonly #parts: QuestionParts;
  readonly #takers = new Map<number, AnswerTaker>();
  readonly #lost = new Map<number, LostAnswerTaker>();
  readonly #asking = emptyAsking();
  readonly #answered = emptyAsking();
  readonly #fieldAnswers = new FieldAnswers();
  #told = false;

  constructor(parts: QuestionParts) {
    this.#parts = parts;
  }

  /** Answers of this type are its. */
  answers(type: number, taker: AnswerTaker, lost: LostAnswerTaker = () => {}): void {
    this.#takers.set(type, taker);
    this.#lost.set(type, lost);
  }

  /** For payloads behind the head. */
  get up(): ChannelSender {
    return this.#parts.up;
  }

  /**
   * Begins a question whose payload is `length` bytes with its head, which this writes: returns where it begins in
   * `up`, or FULL. `commit` makes it count.
   */
  claim(connection: Connection, request: RequestView, type: number, length: number, flags = 0): number {
    const { up } = this.#parts;
    const at = up.claim(type, length);
    if (at === FULL) return FULL;
    const asking = this.#asking;
    asking.slot = connection.slot;
    asking.generation = connection.generation;
    asking.opaque = request.opaque;
    asking.flags = flags | (callOf(request.code) << QUESTION_CALL);
    asking.askedAt = this.#parts.now();
    if ((request.flag & FLAG_ONEWAY) !== 0) asking.flags |= QUESTION_ONEWAY;
    if (request.serializeType === SERIALIZE_BINARY) asking.flags |= QUESTION_BINARY;
    writeAsking(up.view, at, asking);
    return at;
  }

  /** Counts the claimed question in. */
  commit(): void {
    this.#parts.up.commit();
    if ((this.#asking.flags & (QUESTION_ONEWAY | QUESTION_PARKS)) === 0) this.underWay += 1;
    if (!this.#told) this.#parts.needsDelivery();
    this.#told = true;
  }

  /** A question whose payload behind the head is JSON; false when there is no room. */
  ask(connection: Connection, request: RequestView, type: number, value: object, flags = 0): boolean {
    const text = Buffer.from(JSON.stringify(value));
    if (QUESTION_HEAD + text.length > this.up.maxPayload) {
      const remark = `the request asks for ${text.length} bytes at once, and ${this.up.maxPayload} are the most`;
      this.refuse(connection, request, ResponseCode.MESSAGE_ILLEGAL, remark);
      return true;
    }
    const at = this.claim(connection, request, type, QUESTION_HEAD + text.length, flags);
    if (at === FULL) return false;
    this.up.bytes.set(text, at + QUESTION_HEAD);
    this.commit();
    return true;
  }

  /** Delivery is to end, and hears nothing until it begins again: what was asked before that is shown to it now. */
  deliveryEnds(): void {
    this.publish();
    this.#told = false;
  }

  /** The connection is closed: what it waits for is given up. */
  gone({ slot, generation }: Connection): void {
    if (!this.#told) return;
    const asking = { slot, generation, opaque: 0, flags: QUESTION_ONEWAY, askedAt: 0 };
    this.#parts.up.post(GONE, QUESTION_HEAD, (_, view, at) => writeAsking(view, at, asking));
  }

  /** What was popped for a connection that is closed is to be visible again. */
  untaken(popped: object): void {
    const text = Buffer.from(JSON.stringify(popped));
    const asking = { slot: 0, generation: 0, opaque: 0, flags: QUESTION_ONEWAY, askedAt: 0 };
    this.#parts.up.post(POP_UNTAKEN, QUESTION_HEAD + text.length, (bytes, view, at) => {
      writeAsking(view, at, asking);
      bytes.set(text, at + QUESTION_HEAD);
    });
  }

  /** Answers the request at once with a refusal. */
  refuse(connection: Connection, request: RequestView, code: number, remark: string): void {
    countRefusal(this.#parts.counters, code);
    this.#parts.calls.refused(request, code);
    if ((request.flag & FLAG_ONEWAY) === 0)
      connection.append(encodeCommand(responseTo(request, code, remark)));
  }

  /** Shows the agent what this turn put into the channel. */
  publish(): void {
    this.#parts.up.publish();
  }

  /** Whether `drain` would find something now. */
  get pending(): boolean {
    return this.#parts.down.pending;
  }

  /** Sends the answers that have come. */
  drain(): void {
    const { down, connectionOf, touched } = this.#parts;
    while (down.next()) {
      const { type, view, bytes, offset, length } = down;
      const asking = this.#answered;
      readAsking(view, offset, asking);
      if ((asking.flags & QUESTION_PARKS) === 0) this.underWay -= 1;
      const connection = connectionOf(asking.slot, asking.generation);
      if (type === ANSWERED) {
        const code = view.getInt32(offset + ANSWERED_CODE, true);
        this.#countStatus(code);
        this.called(asking, code, connection === undefined);
      }
      if (connection === undefined) {
        this.#lost.get(type)?.(bytes, offset + QUESTION_HEAD, offset + length);
        continue;
      }
      if (type === ANSWERED) this.#status(connection, asking, bytes, view, offset, offset + length);
      else if (type === FIELDS)
        this.#fields(connection, asking, bytes, offset + QUESTION_HEAD, offset + length);
      else this.#takers.get(type)?.(connection, asking, bytes, offset + QUESTION_HEAD, offset + length);
      touched(connection);
    }
    down.release();
  }

  /** What was asked is answered with `code`; `lost`: to a connection that is closed. */
  called({ flags, askedAt }: Readonly<Asking>, code: number, lost = false): void {
    const { calls, clock } = this.#parts;
    const way = lost ? LOST : (flags & QUESTION_WAITED) !== 0 ? LONG_POLLING : AT_ONCE;
    calls.done((flags >> QUESTION_CALL) & 0xff, code, way, clock() - askedAt);
  }

  #countStatus(code: number): void {
    if (code !== ResponseCode.SUCCESS) countRefusal(this.#parts.counters, code);
  }

  #status(
    connection: Connection,
    { opaque, flags }: Readonly<Asking>,
    bytes: Uint8Array,
    view: DataView,
    at: number,
    to: number,
  ): void {
    const code = view.getInt32(at + ANSWERED_CODE, true);
    const binary = (flags & QUESTION_BINARY) !== 0;
    if (code === ResponseCode.SUCCESS && to === at + ANSWERED_HEAD) {
      SUCCESS.begin(connection, opaque, binary).endHeader();
      return;
    }
    const remark = Buffer.from(bytes.subarray(at + ANSWERED_HEAD, to)).toString();
    const request = askedBy({ opaque, flags });
    connection.append(encodeCommand(responseTo(request, code, remark === '' ? undefined : remark)));
  }

  #fields(connection: Connection, asking: Readonly<Asking>, bytes: Uint8Array, at: number, to: number): void {
    const { code, remark, fields } = readJson<AnsweredFields>(bytes, at, to);
    this.#countStatus(code);
    this.called(asking, code);
    this.#fieldAnswers.write(connection, responseTo(askedBy(asking), code, remark, fields));
  }
}

/** What `responseTo` must know of the request. */
export function askedBy({ opaque, flags }: Pick<Asking, 'opaque' | 'flags'>) {
  const serializeType = (flags & QUESTION_BINARY) !== 0 ? SERIALIZE_BINARY : SERIALIZE_JSON;
  return { opaque, serializeType };
}

/** What bytes[at, to) of a ring say, as one of this process has written it. */
export function readJson<T>(bytes: Uint8Array, at: number, to: number): T {
  return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset + at, to - at).toString()) as T;
}
