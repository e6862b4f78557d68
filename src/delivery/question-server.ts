/**
 * The delivery agent's end of the ways by which network threads ask it, and get the answers: ends of transactions, pops
 * and what belongs to them. Each kind of question has one taker.
 */
import { MAX_CHANNEL_BACKLOG_BYTES } from '../lib/limits.ts';
import { callRow, ONEWAY } from '../protocol/call-kinds.ts';
import type { CallTable } from '../ring/call-table.ts';
import { ChannelReceiver, ChannelSender, type ChannelShape } from '../ring/channel.ts';
import {
  ANSWER_FLAGS,
  ANSWERED,
  ANSWERED_HEAD,
  emptyAnswered,
  emptyAsking,
  QUESTION_CALL,
  QUESTION_HEAD,
  QUESTION_ONEWAY,
  QUESTION_PARKS,
  QUESTION_WAITED,
  readAsking,
  writeAnswered,
  writeAsking,
} from '../ring/question-records.ts';
import { wakerOf } from '../ring/wake.ts';
import type { BrokerShape } from '../store/engine-shapes.ts';

/** Between a network thread and the delivery agent. */
export interface QuestionsShape {
  up: ChannelShape;
  down: ChannelShape;
}

/** Takes questions of some types. */
export interface QuestionTaker {
  /** Whether there is room for what a question leads to; else all questions wait. */
  mayTake(): boolean;
  /** The question's payload is bytes[at, to), and is gone when this returns. */
  take(asked: Asked, type: number, bytes: Uint8Array, view: DataView, at: number, to: number): void;
}

/** Counts what need not be answered; what is answered is counted by who sends the answer. */
export interface CallCounting {
  readonly calls: CallTable;
  /** Ms of the monotonic clock. */
  readonly now: () => number;
}

/** Of one thread in one turn. */
const TOGETHER = 64;
const NOTHING = new Uint8Array(0);

interface Link extends CallCounting {
  readonly number: number;
  readonly up: ChannelReceiver;
  readonly down: ChannelSender;
}

const answered = emptyAnswered();
const head = emptyAsking();

/** Who has asked something, until it is answered. */
export class Asked {
  /** Number of the network thread. */
  readonly thread: number;
  readonly slot: number;
  readonly generation: number;
  readonly flags: number;
  /** It has waited for messages. */
  waited = false;
  readonly #opaque: number;
  readonly #askedAt: number;
  readonly #link: Link;

  constructor(link: Link, { slot, generation, opaque, flags, askedAt }: typeof head) {
    this.thread = link.number;
    this.slot = slot;
    this.generation = generation;
    this.flags = flags;
    this.#opaque = opaque;
    this.#askedAt = askedAt;
    this.#link = link;
  }

  /** Whether somebody waits for the answer. */
  get waits(): boolean {
    return (this.flags & QUESTION_ONEWAY) === 0;
  }

  /** An answer of a code and a remark; '' for none. Nothing where nobody waits. */
  answer(code: number, remark: string): void {
    if (!this.waits) {
      this.#count(code);
      return;
    }
    const text = remark === '' ? NOTHING : Buffer.from(remark);
    // A post that finds no room writes later: what it says must be its own then.
    const whose = this.#answerHead();
    this.#link.down.post(ANSWERED, ANSWERED_HEAD + text.length, (bytes, view, at) => {
      Object.assign(answered, whose, { code });
      writeAnswered(view, at, answered);
      bytes.set(text, at + ANSWERED_HEAD);
    });
  }

  /** Tells something that nobody waits for on the connection, if it is still open. */
  tell(type: number, value: object): void {
    const text = Buffer.from(JSON.stringify(value));
    const { slot, generation } = this;
    const asking = { slot, generation, opaque: 0, flags: QUESTION_PARKS, askedAt: 0 };
    this.#link.down.post(type, QUESTION_HEAD + text.length, (bytes, view, at) => {
      writeAsking(view, at, asking);
      bytes.set(text, at + QUESTION_HEAD);
    });
  }

  /** An answer of that type whose payload behind the head is JSON of `value`. */
  answerJson<T extends { readonly code: number }>(type: number, value: T): void {
    if (!this.waits) {
      this.#count(value.code);
      return;
    }
    const text = Buffer.from(JSON.stringify(value));
    const asking = this.#answerHead();
    this.#link.down.post(type, QUESTION_HEAD + text.length, (bytes, view, at) => {
      writeAsking(view, at, asking);
      bytes.set(text, at + QUESTION_HEAD);
    });
  }

  #answerHead(): typeof head {
    const { slot, generation } = this;
    const flags = (this.flags & ANSWER_FLAGS) | (this.waited ? QUESTION_WAITED : 0);
    return { slot, generation, opaque: this.#opaque, flags, askedAt: this.#askedAt };
  }

  #count(code: number): void {
    const { calls, now } = this.#link;
    const call = (this.flags >> QUESTION_CALL) & 0xff;
    calls.count(callRow(call, code, ONEWAY), now() - this.#askedAt);
  }
}

export class QuestionServer {
  readonly #links: readonly Link[];
  readonly #takers = new Map<number, QuestionTaker>();
  readonly #all = new Set<QuestionTaker>();

  /** `shapes`: by number of the network thread. */
  constructor(
    shapes: readonly QuestionsShape[],
    { wakes, participants }: BrokerShape,
    counting: CallCounting,
  ) {
    this.#links = shapes.map(({ up, down }, number) => {
      // In one thread it has its turn after this one, and needs no bell.
      const isHere = participants[number]?.sameThread === true && wakes.delivery === wakes.network[number];
      const wake = isHere
        ? () => {}
        : wakerOf(wakes.network[number] as NonNullable<(typeof wakes.network)[0]>);
      return {
        ...counting,
        number,
        up: ChannelReceiver.join(up, wake),
        down: ChannelSender.join(down, wake, MAX_CHANNEL_BACKLOG_BYTES),
      };
    });
  }

  /** Questions of these types are its. */
  handle(types: readonly number[], taker: QuestionTaker): void {
    for (const type of types) this.#takers.set(type, taker);
    this.#all.add(taker);
  }

  /** Whether questions have come; they may have to wait. */
  get waiting(): boolean {
    return this.#links.some(({ up }) => up.pending);
  }

  /** Whether `serve` would find something now. */
  get pending(): boolean {
    return this.#links.some(({ up, down }) => up.pending && !down.overfull) && this.#mayTake();
  }

  /** Takes questions while there is room for what they lead to, each thread's by turns; returns how many. */
  serve(): number {
    let done = 0;
    for (const link of this.#links) {
      for (let i = 0; i < TOGETHER && !link.down.overfull && this.#mayTake() && link.up.next(); i++) {
        this.#take(link);
        done++;
      }
      link.up.release();
    }
    return done;
  }

  /** Answers whatever has come with a refusal: it is taken by nobody any more. */
  refuse(code: number, remark: string): void {
    for (const link of this.#links) {
      while (link.up.next()) {
        readAsking(link.up.view, link.up.offset, head);
        const asked = new Asked(link, head);
        if (asked.waits) asked.answer(code, remark);
      }
      link.up.release();
    }
  }

  /** Nothing that was answered waits for room: the network threads find all of it, also when this end is gone. */
  get isTold(): boolean {
    return this.#links.every(({ down }) => !down.late);
  }

  /** Shows the network threads what has been answered. */
  publish(): void {
    for (const { down } of this.#links) down.publish();
  }

  #mayTake(): boolean {
    for (const taker of this.#all) if (!taker.mayTake()) return false;
    return true;
  }

  #take(link: Link): void {
    const { type, view, bytes, offset, length } = link.up;
    readAsking(view, offset, head);
    const asked = new Asked(link, head);
    this.#takers.get(type)?.take(asked, type, bytes, view, offset, offset + length);
  }
}
