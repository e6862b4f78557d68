/**
 * Transactions as the delivery agent runs them, in one thread: on reads, puts and a clock of the test, with the rings
 * by which ends come and answers go.
 */
import type { DeliveryShape, DueProgress } from '../../src/delivery/delivery-shape.ts';
import type { DueParts } from '../../src/delivery/due-kind.ts';
import { DeliveryFigures } from '../../src/delivery/figures.ts';
import { QuestionServer } from '../../src/delivery/question-server.ts';
import type {
  HalfCheck,
  HalfLimits,
  TransactionContext,
  TransactionSettings,
} from '../../src/delivery/transaction/context.ts';
import { ProducersOnline } from '../../src/delivery/transaction/producers-online.ts';
import { TransactionKind } from '../../src/delivery/transaction/transaction-kind.ts';
import type { TransactionOffsets } from '../../src/delivery/transaction/transaction-recovery.ts';
import type { WaitingRules } from '../../src/delivery/waiting-form.ts';
import type { Clock } from '../../src/lib/clock.ts';
import { type ControlLog, noLog } from '../../src/lib/log.ts';
import { HALF_TOPIC } from '../../src/lib/names.ts';
import type { Timers } from '../../src/lib/timers.ts';
import { ChannelReceiver, ChannelSender, createChannel } from '../../src/ring/channel.ts';
import { Counters } from '../../src/ring/counters.ts';
import type { Positions } from '../../src/ring/positions.ts';
import {
  ANSWERED_HEAD,
  END,
  END_ANSWERS_CHECK,
  END_COMMITS,
  END_HEAD,
  emptyAnswered,
  emptyEnd,
  QUESTION_ONEWAY,
  readAnswered,
  writeEnd,
} from '../../src/ring/question-records.ts';
import type { BrokerShape } from '../../src/store/engine-shapes.ts';
import { CountedCalls } from './counted-calls.ts';
import { STORE_HOST } from './messages.ts';

export const RULES: WaitingRules = {
  ...{ timerWheelEnable: true, timerMaxDelaySec: 3_600, timerPrecisionMs: 1_000 },
  ...{ rejectTransactionMessage: false, maxDelayLevel: 18, brokerIp: '10.1.1.1' },
};

export const SETTINGS: TransactionSettings = {
  ...{ transactionTimeOut: 2_000, transactionCheckMax: 3, transactionCheckInterval: 1_000 },
  ...{ transactionOpBatchInterval: 100, transactionOpMsgMaxSize: 4_096, fileReservedTime: 72 },
};

export interface RigParts {
  clock: Clock;
  timers: Timers;
  reads: TransactionContext['store'];
  positions: Positions;
  put: TransactionContext['put'];
  busy: () => boolean;
  settings?: TransactionSettings;
  limits?: HalfLimits;
  log?: ControlLog;
  /** What the files hold, and where the half queue ended at the start. */
  offsets?: TransactionOffsets;
  halfEnd?: number;
  check: (check: HalfCheck) => void;
}

export interface RigEnd {
  commits: boolean;
  group: string;
  logOffset: number;
  queueOffset: number;
  answersCheck?: boolean;
  waits?: boolean;
  opaque?: number;
}

export interface RigAnswer {
  opaque: number;
  code: number;
  remark: string;
}

export class TransactionRig {
  readonly kind: TransactionKind;
  readonly counted = new CountedCalls();
  readonly questions: QuestionServer;
  readonly producers = new ProducersOnline();
  readonly settings: TransactionSettings;
  /** Checks that control has not taken. */
  checksUnderWay = 0;
  readonly counters = Counters.unread();
  readonly figures = new DeliveryFigures();
  readonly #up: ChannelSender;
  readonly #down: ChannelReceiver;

  constructor(parts: RigParts) {
    const { clock, timers, reads, positions, put, busy, check, limits } = parts;
    this.settings = { ...SETTINGS, ...parts.settings };
    const [up, down] = [createChannel({ ringBytes: 64 * 1024 }), createChannel({ ringBytes: 64 * 1024 })];
    this.#up = ChannelSender.join(up, () => {});
    this.#down = ChannelReceiver.join(down, () => {});
    const rig = this;
    const wake = {} as BrokerShape['wakes']['delivery'];
    const broker = { wakes: { delivery: wake, network: [wake] }, participants: [{ sameThread: true }] };
    const { halfEnd = reads.maxOffset(HALF_TOPIC, 0), offsets = { half: 0, op: 0 } } = parts;
    const shape = {
      ...{ broker, storeHost: STORE_HOST, transactions: offsets },
      queueEnds: [[HALF_TOPIC, [halfEnd]]],
    } as unknown as DeliveryShape;
    this.questions = new QuestionServer([{ up, down }], broker as unknown as BrokerShape, {
      calls: this.counted.table,
      now: () => 0,
    });
    const checks = {
      tell: check,
      get underWay() {
        return rig.checksUnderWay;
      },
    };
    const due = {
      shape,
      clock,
      timers,
      positions,
      reads,
      put,
      busy,
      checks,
      log: parts.log ?? noLog,
      counters: this.counters,
      figures: this.figures,
    };
    const told = () => ({ maxPending: 1, transactions: this.settings, waiting: RULES });
    const all = {
      ...due,
      producers: this.producers,
      limits: told,
      questions: this.questions,
    } as unknown as DueParts;
    this.kind = new TransactionKind(all, limits);
    this.kind.start();
  }

  /** A turn of the agent; returns how much was done. */
  work(): number {
    const done = this.questions.serve() + this.kind.work();
    this.questions.publish();
    return done;
  }

  get pending(): boolean {
    return this.questions.pending;
  }

  get idle(): boolean {
    return !this.questions.pending && this.kind.idle;
  }

  get progress(): TransactionOffsets {
    return (this.kind.lastProgress() as Required<DueProgress>).transactions;
  }

  /** False when the ring is full. */
  end({ opaque = 0, waits = true, ...end }: RigEnd): boolean {
    const group = Buffer.from(end.group);
    const at = this.#up.claim(END, END_HEAD + group.length);
    if (at < 0) return false;
    const isOneway = waits ? 0 : QUESTION_ONEWAY;
    const flags =
      isOneway | (end.commits ? END_COMMITS : 0) | (end.answersCheck === true ? END_ANSWERS_CHECK : 0);
    const { logOffset, queueOffset } = end;
    writeEnd(this.#up.view, at, { ...emptyEnd(), opaque, flags, logOffset, queueOffset });
    this.#up.bytes.set(group, at + END_HEAD);
    this.#up.commit();
    this.#up.publish();
    return true;
  }

  answers(): RigAnswer[] {
    const answers: RigAnswer[] = [];
    while (this.#down.next()) {
      const { view, bytes, offset, length } = this.#down;
      const remark = Buffer.from(bytes.subarray(offset + ANSWERED_HEAD, offset + length)).toString();
      const ended = emptyAnswered();
      readAnswered(view, offset, ended);
      const { opaque, code } = ended;
      answers.push({ opaque, code, remark });
    }
    this.#down.release();
    return answers;
  }
}
