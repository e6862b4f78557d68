/**
 * Pops as the delivery agent runs them, in one thread: on reads, puts, a clock and timers of the test, with the rings
 * by which questions come and answers go.
 */
import type { DeliveryShape } from '../../src/delivery/delivery-shape.ts';
import type { DueParts } from '../../src/delivery/due-kind.ts';
import { DeliveryFigures } from '../../src/delivery/figures.ts';
import type { KnownQueues } from '../../src/delivery/known-queues.ts';
import type { PopSettings } from '../../src/delivery/pop/pop-context.ts';
import { PopKind } from '../../src/delivery/pop/pop-kind.ts';
import type { PopAsk, PopStart } from '../../src/delivery/pop/pop-link.ts';
import type { Popped } from '../../src/delivery/pop/pop-questions.ts';
import { QuestionServer } from '../../src/delivery/question-server.ts';
import type { TimerMark } from '../../src/delivery/timer/timer-mark.ts';
import type { Clock } from '../../src/lib/clock.ts';
import { type ControlLog, noLog } from '../../src/lib/log.ts';
import { TIMER_TOPIC } from '../../src/lib/names.ts';
import type { Timers } from '../../src/lib/timers.ts';
import { ChannelReceiver, ChannelSender, createChannel } from '../../src/ring/channel.ts';
import type { Positions } from '../../src/ring/positions.ts';
import {
  ACK_NAMES,
  type AckRecord,
  ANSWERED,
  ANSWERED_HEAD,
  type AnsweredFields,
  emptyAnswered,
  emptyAsking,
  FIELDS,
  GONE,
  POP_ACK,
  QUESTION_HEAD,
  QUESTION_PARKS,
  readAnswered,
  readAsking,
  writeAck,
  writeAsking,
} from '../../src/ring/question-records.ts';
import type { BrokerShape } from '../../src/store/engine-shapes.ts';
import { CountedCalls } from './counted-calls.ts';
import { STORE_HOST } from './messages.ts';
import { RULES } from './transaction-rig.ts';

export const POP_SETTINGS: PopSettings = {
  ...{ popPollingSize: 2, maxPopPollingSize: 100, popFromRetryProbability: 20 },
  ...{ popFromRetryProbabilityForPriority: 0, priorityOrderAsc: true, maxLiteSubscriptionCount: 10 },
};

const RING_BYTES = 256 * 1024;

export interface PopRigParts {
  clock: Clock;
  timers: Timers;
  reads: Pick<DueParts['reads'], 'minOffset' | 'maxOffset' | 'readQueue' | 'recordAt'> & {
    readonly minPhysicalOffset: number;
    readonly maxPhysicalOffset: number;
  };
  positions: Positions;
  put: DueParts['put'];
  busy: () => boolean;
  queues: KnownQueues;
  interest: (id: number) => void;
  ask: (ask: PopAsk) => void;
  /** The timer that brings checkpoints and acks into the revive topic. */
  timer: { mark(): TimerMark; hasPassed(mark: TimerMark): boolean };
  /** What control's files hold. */
  start: PopStart;
  random: () => number;
  settings?: PopSettings;
  log?: ControlLog;
  /** Of a slave that acts for its master. */
  acts?: boolean;
}

/** Who asks: a connection, and the question's number there. */
export interface Asker {
  slot: number;
  generation: number;
  opaque: number;
}

export interface PopAnswer {
  opaque: number;
  code: number;
  remark: string;
  /** Of a notification, a changed time, a polling info. */
  fields?: Record<string, string>;
  popped?: Popped;
}

/** An ack without its names. */
type Ack = Omit<AckRecord, 'topicLength' | 'groupLength'>;

export class PopRig {
  readonly kind: PopKind;
  readonly counted = new CountedCalls();
  readonly figures = new DeliveryFigures();
  readonly questions: QuestionServer;
  settings: PopSettings;
  readonly #up: ChannelSender;
  readonly #down: ChannelReceiver;

  constructor(parts: PopRigParts) {
    const { reads, start, ask, timer, random, log = noLog, settings = POP_SETTINGS } = parts;
    const { acts = false } = parts;
    const { clock, timers, positions, put, busy, queues, interest } = parts;
    this.settings = settings;
    const [up, down] = [createChannel({ ringBytes: RING_BYTES }), createChannel({ ringBytes: RING_BYTES })];
    this.#up = ChannelSender.join(up, () => {});
    this.#down = ChannelReceiver.join(down, () => {});
    const wake = {} as BrokerShape['wakes']['delivery'];
    const broker = { wakes: { delivery: wake, network: [wake] }, participants: [{ sameThread: true }] };
    this.questions = new QuestionServer([{ up, down }], broker as unknown as BrokerShape, {
      calls: this.counted.table,
      now: () => clock.monotonic(),
    });
    const ends = [[TIMER_TOPIC, [reads.maxOffset(TIMER_TOPIC, 0)]]];
    const shape = { storeHost: STORE_HOST, queueEnds: ends, pops: start, acts } as unknown as DeliveryShape;
    const all = {
      figures: this.figures,
      ...{ shape, clock, timers, log, positions, reads, put, busy, queues, interest },
      limits: () => ({ waiting: RULES, pops: this.settings }),
      questions: this.questions,
      pops: { ask },
    } as unknown as DueParts;
    this.kind = new PopKind(all, timer, random);
    this.kind.start();
  }

  /** A turn of the agent, behind its agenda. */
  work(): void {
    this.questions.serve();
    this.kind.work();
    this.questions.publish();
  }

  get idle(): boolean {
    return !this.questions.pending && this.kind.idle;
  }

  /** False when the ring is full. */
  ask(type: number, asker: Asker, question: object): boolean {
    const text = Buffer.from(JSON.stringify(question));
    const at = this.#claim(type, asker, QUESTION_HEAD + text.length);
    if (at < 0) return false;
    this.#up.bytes.set(text, at + QUESTION_HEAD);
    return this.#send();
  }

  acknowledge(asker: Asker, ack: Ack, topic: string, group: string): boolean {
    const at = this.#claim(POP_ACK, asker, ACK_NAMES + topic.length + group.length);
    if (at < 0) return false;
    writeAck(this.#up.view, at, { ...ack, topicLength: topic.length, groupLength: group.length });
    this.#up.bytes.set(Buffer.from(topic + group), at + ACK_NAMES);
    return this.#send();
  }

  /** The connection is closed. */
  gone(asker: Asker): boolean {
    return this.#claim(GONE, asker, QUESTION_HEAD) >= 0 && this.#send();
  }

  #claim(type: number, asker: Asker, length: number): number {
    const at = this.#up.claim(type, length);
    if (at >= 0) writeAsking(this.#up.view, at, { ...asker, flags: QUESTION_PARKS, askedAt: 0 });
    return at;
  }

  #send(): true {
    this.#up.commit();
    this.#up.publish();
    return true;
  }

  answers(): PopAnswer[] {
    const answers: PopAnswer[] = [];
    while (this.#down.next()) {
      const { type, view, bytes, offset, length } = this.#down;
      answers.push(type === ANSWERED ? plainAnswer(view, bytes, offset, length) : this.#jsonAnswer());
    }
    this.#down.release();
    return answers;
  }

  #jsonAnswer(): PopAnswer {
    const { type, view, bytes, offset, length } = this.#down;
    const asking = emptyAsking();
    readAsking(view, offset, asking);
    const { opaque } = asking;
    const value: unknown = JSON.parse(textOf(bytes, offset + QUESTION_HEAD, offset + length));
    if (type === FIELDS) {
      const { code, remark = '', fields } = value as AnsweredFields;
      return { opaque, code, remark, fields };
    }
    const popped = value as Popped;
    return { opaque, code: popped.code, remark: popped.remark, popped };
  }
}

function plainAnswer(view: DataView, bytes: Uint8Array, offset: number, length: number): PopAnswer {
  const ended = emptyAnswered();
  readAnswered(view, offset, ended);
  const { opaque, code } = ended;
  return { opaque, code, remark: textOf(bytes, offset + ANSWERED_HEAD, offset + length) };
}

function textOf(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.subarray(from, to)).toString();
}
