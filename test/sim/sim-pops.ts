/** What is true of messages that are popped in the simulation, and what may happen to them. */
import * as assert from 'uvu/assert';
import { SIM_HOST } from './sim-machine.ts';

/** Corrections of the clock up to 100 ms count as none, and the agent has its turn every 20 ms. */
const TOLERANCE_MS = 150;

/** Of a message that was popped. */
export interface SimReceipt {
  readonly group: string;
  /** That it was read from: may be the retry topic. */
  readonly topic: string;
  readonly queueId: number;
  readonly startOffset: number;
  readonly popTime: number;
  readonly invisibleTime: number;
  readonly reviveQueueId: number;
  readonly offset: number;
  readonly message: SimMessage;
  readonly attemptId: string | undefined;
  /** How often the pop of that attempt had been said. */
  readonly said: number;
  /** True time up to which nobody else may get it. */
  readonly until: number;
  /** Whether that is known: no step of the clock was in the way. */
  isSure: boolean;
  /** By which process it was popped. */
  readonly process: number;
  /** Another time was asked for. */
  isChangeAsked: boolean;
}

/** What a message is to one group. */
export class SimPopState {
  deliveries = 0;
  current: SimReceipt | undefined;
  /** Its ack was answered in time: it never comes again. */
  isDone = false;
  /** It may come again or not: an ack has failed, or came when its time was over. */
  isOpen = false;
  /** It may come at any time, more than once, or not: the group's offset was set, or there may be two of it. */
  isLoose = false;
  /**
   * A process after the one that gave it out was told of its ack, and the clock was set since: that holds until this
   * one ends (docs/pop.md says why).
   */
  isAtRisk = false;
  /** Some client has acknowledged it, whatever came of that. */
  isAckSent = false;

  /** `isBehind`: ordered, behind one that is not done. */
  popped(receipt: SimReceipt, takenAt: number, isBehind: boolean): void {
    const { message, group } = receipt;
    this.deliveries += 1;
    if (!this.isLoose) {
      assert.ok(isBehind || !this.isDone, `${message.key} comes to ${group} after its ack was answered`);
      const before = this.current;
      if (before?.isSure && receipt.isSure && !isAgain(before, receipt)) {
        const early = before.until - takenAt;
        const what = `${message.key} comes to ${group} ${early} ms before the time that it is invisible is over`;
        assert.ok(early <= TOLERANCE_MS, what);
      }
    }
    this.current = receipt;
    this.isOpen = false;
  }

  /** The ack of that receipt was answered. */
  acknowledged(receipt: SimReceipt, now: number): void {
    const { current } = this;
    if (current?.topic !== receipt.topic || current.startOffset !== receipt.startOffset) return;
    if (current.popTime !== receipt.popTime) return;
    if (receipt.isChangeAsked) this.isOpen = true;
    else if (current.isSure && now < current.until - TOLERANCE_MS) this.isDone = true;
    else this.isOpen = true;
  }

  /** The process has ended. */
  processEnded(): void {
    if (!this.isAtRisk) return;
    this.isAtRisk = false;
    if (!this.isDone) return;
    this.isDone = false;
    this.isOpen = true;
  }

  /** Nothing is known of its time any more. */
  isUnsure(): void {
    if (this.current !== undefined) this.current.isSure = false;
  }
}

/** An ordered pop that is repeated gets what it has. */
function isAgain(before: SimReceipt, receipt: SimReceipt): boolean {
  return receipt.attemptId !== undefined && before.attemptId === receipt.attemptId;
}

export class SimMessage {
  readonly key: string;
  readonly topic: string;
  readonly queueId: number;
  readonly offset: number;
  readonly tag: string;
  /** Position behind its record. */
  readonly end: number;
  isDurable = false;
  /** A power cut may have taken it. */
  isDoubtful = false;
  readonly #states = new Map<string, SimPopState>();

  constructor(
    key: string,
    topic: string,
    queueId: number,
    tag: string,
    placed: { queueOffset: number; end: number },
  ) {
    this.key = key;
    this.topic = topic;
    this.queueId = queueId;
    this.tag = tag;
    this.offset = placed.queueOffset;
    this.end = placed.end;
  }

  of(group: string): SimPopState {
    let state = this.#states.get(group);
    if (state === undefined) {
      state = new SimPopState();
      this.#states.set(group, state);
    }
    return state;
  }

  get states(): Iterable<SimPopState> {
    return this.#states.values();
  }
}

export function popMessage(key: string, topic: string, queueId: number, tag: string) {
  const properties = new Map([
    ['UNIQ_KEY', key],
    ['TAGS', tag],
  ]);
  return {
    ...{ topic, queueId, body: Buffer.from(key), properties, flag: 0, sysFlag: 0 },
    ...{ bornTimestamp: 1, bornHost: SIM_HOST, reconsumeTimes: 0, preparedTransactionOffset: 0 },
  };
}
