/** Clients of the simulated broker: they pop, acknowledge, change, repeat and forge, and check what they get. */
import * as assert from 'uvu/assert';
import type { Popped, PoppedPart, PopQuestion } from '../../src/delivery/pop/pop-questions.ts';
import { popRetryTopicOf } from '../../src/lib/names.ts';
import { ResponseCode } from '../../src/protocol/codes.ts';
import { decodeRecord } from '../../src/record/decode.ts';
import { POP, POP_ACKS, POP_CHANGE, POP_NOTIFICATION, POP_POLLING } from '../../src/ring/question-records.ts';
import type { Asker, PopAnswer } from '../support/pop-rig.ts';
import type { Random } from '../support/random.ts';
import type { SimPopBroker } from './sim-pop-broker.ts';
import type { SimMessage, SimReceipt } from './sim-pops.ts';

export const QUEUES = 2;
const PLAIN = 'plain';
/** Gets the messages with tag a only. */
export const TAGGED = 'tagged';
export const ORDERED = 'ordered';
export const GROUPS = [PLAIN, TAGGED, ORDERED];
const CONNECTIONS = 3;
/** Queues that cannot be read, or a writer that stands, for longer are something else. */
export const LONGEST_TROUBLE_MS = 12_000;
export const LONGEST_INVISIBLE_MS = 60_000;

interface Pending {
  readonly what: 'pop' | 'ack' | 'change' | 'other';
  readonly slot: number;
  readonly askedAt: number;
  readonly group: string;
  readonly receipts: readonly SimReceipt[];
  readonly attemptId?: string | undefined;
  /** The connection is closed: an answer is lost. */
  isGone: boolean;
}

export interface PopResult {
  popped: number;
  again: number;
  acknowledged: number;
  lateAcks: number;
  changed: number;
  refused: number;
  full: number;
  parked: number;
  loose: number;
  done: number;
}

/** What clients and the simulation know of. */
export interface PopWorld {
  readonly operations: string[];
  readonly result: PopResult;
  readonly sent: Map<string, SimMessage>;
  topic: string;
  /** When the clock was set last. */
  steppedAt: number;
  /** Counts those of the broker. */
  process: number;
}

export class SimPopClients {
  /** Questions without answer, by opaque. */
  readonly pending = new Map<number, Pending>();
  /** The newest behind; what a client still has in hand. */
  receipts: SimReceipt[] = [];
  readonly #random: Random;
  readonly #broker: SimPopBroker;
  readonly #world: PopWorld;
  readonly #generations = Array<number>(CONNECTIONS).fill(1);
  /** Times that were asked for, by opaque. */
  readonly #changes = new Map<number, number>();
  #opaque = 0;
  #attempts = 0;
  /** How often a pop was said, by attempt id. */
  readonly #said = new Map<string, number>();

  constructor(random: Random, broker: SimPopBroker, world: PopWorld) {
    this.#random = random;
    this.#broker = broker;
    this.#world = world;
  }

  get #now(): number {
    return this.#broker.machine.time;
  }

  pop(group = this.#random.pick(GROUPS), isLast = false): void {
    const order = group === ORDERED;
    const repeats = order && this.#random.chance(0.2);
    if (!repeats) this.#attempts += 1;
    const attemptId = order && this.#random.chance(0.5) ? `attempt ${this.#attempts}` : undefined;
    const question: PopQuestion = {
      ...{ topic: this.#world.topic, group, order, attemptId, queues: QUEUES },
      queueId: isLast ? -1 : this.#random.pick([-1, -1, 0, 1]),
      maxCount: isLast ? 32 : this.#random.pick([1, 3, 8, 32]),
      invisibleTime: isLast
        ? 3_000
        : this.#random.pick([500, 1_000, 2_000, 5_000, 20_000, LONGEST_INVISIBLE_MS]),
      pollTime: isLast ? 0 : this.#random.pick([0, 500, 3_000, 15_000]),
      filter: group === TAGGED ? { type: 'TAG', expression: 'a' } : undefined,
      ...{ fromNewest: false, priority: false },
    };
    this.#ask('pop', group, [], (asker) => this.#broker.rig.ask(POP, asker, question), attemptId);
  }

  #ask(
    what: Pending['what'],
    group: string,
    receipts: readonly SimReceipt[],
    ask: (asker: Asker) => boolean,
    attemptId?: string,
  ): void {
    const slot = this.#random.int(0, CONNECTIONS - 1);
    const asker = { slot, generation: this.#generations[slot] as number, opaque: ++this.#opaque };
    if (!ask(asker)) return;
    if (attemptId !== undefined) this.#said.set(attemptId, (this.#said.get(attemptId) ?? 0) + 1);
    const pending = { what, slot, askedAt: this.#now, group, receipts, attemptId, isGone: false };
    this.pending.set(asker.opaque, pending);
  }

  /** Of those popped lately, or long ago; also such as were acknowledged. */
  #someReceipts(count: number): SimReceipt[] {
    const all = this.receipts;
    const from = this.#random.chance(0.15) ? all : all.slice(-16);
    const fresh = from.filter(({ message, group }) => !message.of(group).isAckSent);
    const among = fresh.length > 0 && this.#random.chance(0.9) ? fresh : from;
    if (among.length === 0) return [];
    const first = this.#random.pick(among);
    const together = among.filter((each) => isTogether(each, first));
    return together.slice(0, count);
  }

  acknowledge(): void {
    const receipts = this.#someReceipts(this.#random.pick([1, 1, 8]));
    if (receipts.length > 0) this.acknowledgeAll(receipts);
  }

  acknowledgeAll(receipts: readonly SimReceipt[]): void {
    const [first] = receipts;
    if (first === undefined) return;
    for (const { message, group } of receipts) message.of(group).isAckSent = true;
    const { rig } = this.#broker;
    if (receipts.length === 1) {
      const { topic, group, ...ack } = first;
      this.#ask('ack', group, receipts, (asker) => rig.acknowledge(asker, ack, topic, group));
      return;
    }
    const acks = [ackGroupOf(receipts)];
    this.#ask('ack', first.group, receipts, (asker) => rig.ask(POP_ACKS, asker, { acks }));
  }

  change(): void {
    const [receipt] = this.#someReceipts(1);
    if (receipt === undefined) return;
    const { topic, group, queueId, offset, startOffset, popTime, reviveQueueId } = receipt;
    const question = {
      ...{ topic, group, queueId, offset, startOffset, popTime, reviveQueueId },
      oldInvisibleTime: receipt.invisibleTime,
      invisibleTime: this.#random.pick([500, 1_000, 5_000, 20_000]),
      suspend: this.#random.chance(0.3),
    };
    this.#ask('change', group, [receipt], (asker) => this.#broker.rig.ask(POP_CHANGE, asker, question));
    receipt.isChangeAsked = true;
    this.#changes.set(this.#opaque, question.invisibleTime);
  }

  askOther(): void {
    const group = this.#random.pick(GROUPS);
    const { rig } = this.#broker;
    const question = {
      topic: this.#world.topic,
      group,
      queueId: -1,
      queues: QUEUES,
      order: group === ORDERED,
    };
    const pollTime = this.#random.pick([0, 2_000]);
    if (this.#random.chance(0.5)) {
      this.#ask('other', group, [], (asker) => rig.ask(POP_POLLING, asker, question));
    } else {
      const look = { ...question, pollTime, maxCount: 1 };
      this.#ask('other', group, [], (asker) => rig.ask(POP_NOTIFICATION, asker, look));
    }
  }

  /** An ack of what nobody has popped so. */
  forge(): void {
    const [receipt] = this.#someReceipts(1);
    if (receipt === undefined || receipt.group === ORDERED) return;
    const { topic, group, message: _message, ...ack } = receipt;
    const forged = this.#random.pick([
      { ...ack, popTime: ack.popTime - 1 },
      { ...ack, startOffset: ack.startOffset + 1 },
      { ...ack, offset: ack.offset + 1_000 },
      { ...ack, queueId: ack.queueId + 1 },
    ]);
    this.#ask('other', group, [], (asker) => this.#broker.rig.acknowledge(asker, forged, topic, group));
  }

  closeConnection(): void {
    const slot = this.#random.int(0, CONNECTIONS - 1);
    const generation = this.#generations[slot] as number;
    if (!this.#broker.rig.gone({ slot, generation, opaque: 0 })) return;
    this.#generations[slot] = generation + 1;
    for (const pending of this.pending.values()) if (pending.slot === slot) pending.isGone = true;
  }

  hear(): void {
    for (const answer of this.#broker.rig.answers()) {
      const pending = this.pending.get(answer.opaque);
      assert.ok(pending !== undefined, `answer ${answer.opaque} to nobody`);
      this.pending.delete(answer.opaque);
      if (pending.what === 'pop') this.#hearPop(pending, answer);
      else if (pending.what === 'ack') this.#hearAck(pending, answer);
      else if (pending.what === 'change') this.#hearChange(pending, answer);
    }
  }

  #hearPop(pending: Pending, { code, popped }: PopAnswer): void {
    if (code === ResponseCode.POLLING_FULL) this.#world.result.full++;
    if (this.#now - pending.askedAt > 400) this.#world.result.parked++;
    if (code !== ResponseCode.SUCCESS || popped === undefined) return;
    for (const part of popped.parts) this.#take(pending, popped, part);
  }

  #take(
    pending: Pending,
    popped: Popped,
    { retry, queueId, startOffset, offsets, records }: PoppedPart,
  ): void {
    const { group, attemptId, askedAt } = pending;
    const topic = retry === 0 ? popped.topic : popRetryTopicOf(popped.topic, group);
    const { popTime, invisibleTime, reviveQid: reviveQueueId } = popped;
    const takenAt = popTime - this.#broker.machine.ahead;
    const isSure = this.#world.steppedAt < askedAt;
    const messages: SimMessage[] = [];
    // As RocketMQ: what is done behind one that is not comes again with it.
    let isBehind = false;
    for (const [i, offset] of offsets.entries()) {
      const message = this.#messageAt(records[2 * i] as number);
      if (message === undefined) continue;
      assert.is(message.topic, popped.topic);
      if (group === TAGGED) assert.is(message.tag, 'a', `${message.key} does not match`);
      const state = message.of(group);
      const receipt = {
        ...{ group, topic, queueId, startOffset, popTime, invisibleTime, reviveQueueId, offset, message },
        ...{ attemptId, until: takenAt + invisibleTime, isSure },
        ...{ process: this.#world.process, isChangeAsked: false, said: this.#timesSaid(attemptId) },
      };
      this.#world.operations.push(
        `   ${this.#now} ${group} gets ${message.key} (${topic}/${queueId}/${offset} at ${startOffset}) at ${popTime} for ${invisibleTime}, taken ${takenAt}`,
      );
      this.#world.result.popped++;
      if (state.deliveries > 0) this.#world.result.again++;
      state.popped(receipt, takenAt, group === ORDERED && isBehind);
      isBehind ||= !state.isDone;
      messages.push(message);
      if (!pending.isGone) this.receipts.push(receipt);
    }
    if (group === ORDERED) this.#checkOrder(messages);
  }

  #messageAt(position: number): SimMessage | undefined {
    const message = decodeRecord(this.#broker.machine.reads().recordAt(position) ?? new Uint8Array(0));
    assert.ok(message !== undefined, `there is no record at ${position}`);
    // One that a power cut should have taken, or whose topic is deleted meanwhile.
    return this.#world.sent.get(Buffer.from(message.body).toString());
  }

  /** All before them are done. */
  #checkOrder(messages: readonly SimMessage[]): void {
    const [first] = messages;
    if (first === undefined) return;
    for (const { key, topic, queueId, offset, of: _of, ...rest } of this.#world.sent.values()) {
      if (topic !== first.topic || queueId !== first.queueId || offset >= first.offset) continue;
      const state = (this.#world.sent.get(key) as SimMessage).of(ORDERED);
      const isPast = state.isAckSent || state.isLoose;
      assert.ok(isPast, `${first.key} comes before ${key} is done (${Object.keys(rest).length})`);
    }
  }

  #hearAck({ receipts, isGone }: Pending, { code, remark }: PopAnswer): void {
    for (const receipt of receipts) {
      const state = receipt.message.of(receipt.group);
      this.#world.operations.push(
        `   ${this.#now} ack of ${receipt.message.key} by ${receipt.group} ${receipt.popTime}: ${code} ${remark}`,
      );
      if (code !== ResponseCode.SUCCESS) {
        this.#world.result.refused++;
        state.isOpen = true;
      } else if (isGone || this.#timesSaid(receipt.attemptId) > receipt.said) {
        // A pop that was said again holds by its newer answer, which may be lost.
        state.isOpen = true;
      } else {
        state.acknowledged(receipt, this.#now);
        const isOfBefore = receipt.process !== this.#world.process;
        state.isAtRisk ||= isOfBefore && this.#world.steppedAt >= receipt.until - receipt.invisibleTime;
        if (state.isDone) this.#world.result.acknowledged++;
        else this.#world.result.lateAcks++;
      }
    }
  }

  #timesSaid(attemptId: string | undefined): number {
    return attemptId === undefined ? 0 : (this.#said.get(attemptId) ?? 0);
  }

  #hearChange({ receipts: [receipt], group }: Pending, { opaque, code, fields, remark }: PopAnswer): void {
    if (receipt === undefined) return;
    const { message } = receipt;
    const state = message.of(group);
    const asked = this.#changes.get(opaque) as number;
    this.#world.operations.push(
      `   ${this.#now} change of ${message.key} by ${group} ${receipt.popTime}: ${code} ${remark} ${JSON.stringify(fields)}`,
    );
    if (code === ResponseCode.NO_MESSAGE) return;
    if (code !== ResponseCode.SUCCESS || fields === undefined) {
      // Which of both times holds, nobody knows.
      state.isLoose = true;
      return;
    }
    this.#world.result.changed++;
    const [popTime, invisibleTime] = [Number(fields['popTime']), Number(fields['invisibleTime'])];
    const until = popTime + invisibleTime - this.#broker.machine.ahead;
    const isSure = this.#world.steppedAt < this.#now - asked - LONGEST_TROUBLE_MS;
    const isOrdered = group === ORDERED;
    const startOffset = isOrdered ? receipt.startOffset : receipt.offset;
    const ofProcess = { process: this.#world.process, isChangeAsked: false };
    const changed = { ...receipt, startOffset, popTime, invisibleTime, until, isSure, ...ofProcess };
    if (isOrdered) changed.invisibleTime = receipt.invisibleTime;
    // What a process before has popped is known by its receipt only, until the timer brings its checkpoint.
    if (receipt.process !== this.#world.process && (state.current !== receipt || state.isAckSent))
      state.isLoose = true;
    state.current = changed;
    this.receipts.push(changed);
  }
}

function isTogether(a: SimReceipt, b: SimReceipt): boolean {
  const isSame = a.topic === b.topic && a.group === b.group && a.queueId === b.queueId;
  return isSame && a.popTime === b.popTime && a.startOffset === b.startOffset;
}

/** Those that were popped together. */
export function bundles(receipts: readonly SimReceipt[]): SimReceipt[][] {
  const all: SimReceipt[][] = [];
  for (const receipt of receipts) {
    const [first] = all.at(-1) ?? [];
    if (first !== undefined && isTogether(first, receipt)) all.at(-1)?.push(receipt);
    else all.push([receipt]);
  }
  return all;
}

function ackGroupOf(receipts: readonly SimReceipt[]) {
  const { topic, group, queueId, startOffset, popTime, invisibleTime, reviveQueueId } =
    receipts[0] as SimReceipt;
  const offsets = receipts.map(({ offset }) => offset);
  return { topic, group, queueId, startOffset, popTime, invisibleTime, reviveQueueId, offsets };
}
