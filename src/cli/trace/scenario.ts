/** Sends the message of a trace, has it consumed, and keeps all that was seen of it. */

import { TIMER_DELAY_MS } from '../../delivery/timer/rewrite.ts';
import { systemClock } from '../../lib/clock.ts';
import { retryTopicOf } from '../../lib/names.ts';
import { UniqueIds } from '../../lib/unique-id.ts';
import { ResponseCode, responseName } from '../../protocol/codes.ts';
import { decodeRecord, messageIdOf, type StoredMessage } from '../../record/decode.ts';
import {
  PROPERTY_DELAY,
  PROPERTY_KEYS,
  PROPERTY_TAGS,
  PROPERTY_UNIQUE_KEY,
  PROPERTY_WAIT,
} from '../../record/properties.ts';
import { APPENDED, AWAITED, DISPATCHED, FLUSHED } from '../../ring/positions.ts';
import { NOTE_FRAME, NOTE_ROUND, NOTE_WRITTEN, type Note, ROUND_POSITIONS } from '../../ring/trace-notes.ts';
import { Failure } from '../admin/failure.ts';
import { now } from '../admin/times.ts';
import type { OwnBroker } from './own-broker.ts';
import { positionOf, recordsOf } from './pieces/stored.ts';
import { numberOf, type Outgoing, type Place, type Requests } from './requests.ts';
import type { FoundTimer, StoreView } from './store-view.ts';
import { type Exchange, TraceClient } from './trace-client.ts';

/** What is sent, and what becomes of it. */
export interface Plan {
  text: string;
  key: string;
  tag: string;
  /** More than 1: a batch. */
  count: number;
  delayLevel: number | undefined;
  delayMs: number | undefined;
  /** A consumer gives it back once. */
  retry: boolean;
  group: string;
  /** Messages sent before, so that the broker runs as it does when it has run for a while. */
  warm: number;
}

export interface Target {
  place: Place;
  tls: boolean;
  requests: Requests;
  own: OwnBroker | undefined;
  store: StoreView | undefined;
}

/** An answer to a pull that brought the message. */
export interface Delivery {
  exchange: Exchange;
  records: Uint8Array[];
}

export interface Run {
  plan: Plan;
  target: Target;
  keys: string[];
  sent: Exchange;
  deliveries: Delivery[];
  givenBack: Exchange | undefined;
  /** As it was while the message waited. */
  timer: FoundTimer | undefined;
  notes: Note[];
}

const RETRY_LEVEL = 1;
const WARM = 'before';
/** How long a message may take to come, beyond its delay. */
const PATIENCE_MS = 20_000;
const PARKED_MS = 2_000;
const LOOK_MS = 20;
/** So long a pull takes to be parked at a broker that does not tell. */
const SURELY_PARKED_MS = 100;
const LOOPBACK = Uint8Array.of(127, 0, 0, 1);
const STORED: ReadonlySet<number> = new Set([
  ResponseCode.SUCCESS,
  ResponseCode.FLUSH_DISK_TIMEOUT,
  ResponseCode.SLAVE_NOT_AVAILABLE,
  ResponseCode.FLUSH_SLAVE_TIMEOUT,
]);

export async function run(target: Target, plan: Plan): Promise<Run> {
  const { place, tls } = target;
  const producer = await TraceClient.dial(place.address, tls);
  try {
    const consumer = await TraceClient.dial(place.address, tls);
    try {
      return await new Scenario(target, plan, producer, consumer).run();
    } finally {
      consumer.close();
    }
  } finally {
    producer.close();
  }
}

class Scenario {
  readonly #target: Target;
  readonly #plan: Plan;
  readonly #producer: TraceClient;
  readonly #consumer: TraceClient;
  readonly #ids = new UniqueIds(LOOPBACK);
  readonly #deliveries: Delivery[] = [];
  #notes: Note[] = [];

  constructor(target: Target, plan: Plan, producer: TraceClient, consumer: TraceClient) {
    this.#target = target;
    this.#plan = plan;
    this.#producer = producer;
    this.#consumer = consumer;
  }

  async run(): Promise<Run> {
    const { own, place } = this.#target;
    const plan = this.#plan;
    if (own !== undefined) await this.#makeTopic();
    await this.#warm(plan.warm);
    const messages = Array.from({ length: plan.count }, (_, i) => this.#message(plan.text, i));
    const keys = messages.map(({ properties }) => properties.get(PROPERTY_UNIQUE_KEY) as string);
    const came = await this.#await(place.topic, place.queueId, keys);
    const sent = await this.#send(messages);
    const timer = plan.delayMs === undefined ? undefined : await this.#timer(sent, plan.delayMs);
    const [record] = await came();
    const givenBack = plan.retry && record !== undefined ? await this.#giveBack(record, keys) : undefined;
    const asked = [
      sent,
      ...(givenBack ? [givenBack] : []),
      ...this.#deliveries.map(({ exchange }) => exchange),
    ];
    await this.#untilNoted(asked);
    return {
      ...{ plan, target: this.#target, keys, sent, givenBack, timer },
      deliveries: this.#deliveries,
      notes: this.#takeNotes(),
    };
  }

  async #makeTopic(): Promise<void> {
    const { requests, place } = this.#target;
    const { answer } = await this.#producer.request(requests.createTopic(place.topic));
    if (answer.code !== ResponseCode.SUCCESS)
      throw new Failure(
        `The topic ${place.topic} cannot be made: ${answer.remark ?? responseName(answer.code)}.`,
      );
  }

  #message(text: string, index = 0): Outgoing {
    const { key, tag, count, delayLevel, delayMs } = this.#plan;
    const isWarm = text === WARM;
    const properties = new Map([
      [PROPERTY_UNIQUE_KEY, this.#ids.next(now())],
      [PROPERTY_WAIT, 'true'],
      [PROPERTY_KEYS, key],
      [PROPERTY_TAGS, tag],
    ]);
    if (delayLevel !== undefined && !isWarm) properties.set(PROPERTY_DELAY, String(delayLevel));
    if (delayMs !== undefined && !isWarm) properties.set(TIMER_DELAY_MS, String(delayMs));
    return { body: Buffer.from(count > 1 && !isWarm ? `${text} ${index}` : text), properties };
  }

  async #send(messages: Outgoing[]): Promise<Exchange> {
    const { requests, place } = this.#target;
    const sent = await this.#producer.request(requests.send(place, messages, now()));
    if (STORED.has(sent.answer.code)) return sent;
    const { remark, code } = sent.answer;
    throw new Failure(
      `The broker ${place.address} did not take the message: ${remark ?? responseName(code)}.`,
    );
  }

  /** Messages that are sent and consumed one by one, as the followed one is. */
  async #warm(count: number): Promise<void> {
    const { place, own } = this.#target;
    for (let offset = 0; offset < count; offset++) {
      const pulled = this.#pull(place.topic, place.queueId, offset, PATIENCE_MS);
      await this.#send([this.#message(WARM)]);
      await pulled;
      // Notes that nobody takes fill their ring.
      own?.notes();
    }
  }

  async #end(topic: string, queueId: number): Promise<number> {
    const answer = await this.#consumer.request(this.#target.requests.maxOffset(topic, queueId));
    return Math.max(0, numberOf(answer, 'offset', 0));
  }

  #pull(topic: string, queueId: number, offset: number, waitMs: number): Promise<Exchange> {
    const { requests } = this.#target;
    const pull = requests.pull(topic, queueId, offset, this.#plan.group, waitMs);
    return this.#consumer.request(pull, waitMs + PATIENCE_MS);
  }

  /** Has a pull wait at the broker; then resolves with what resolves when the messages have come. */
  async #await(topic: string, queueId: number, keys: string[]): Promise<() => Promise<StoredMessage[]>> {
    const { delayLevel, delayMs = 0 } = this.#plan;
    const waitMs = PATIENCE_MS + delayMs + (delayLevel === undefined ? 0 : LONGEST_LEVEL_MS);
    const from = await this.#end(topic, queueId);
    const first = this.#pull(topic, queueId, from, waitMs);
    first.catch(() => {});
    await this.#untilParked();
    return () => this.#come(first, topic, queueId, from, keys, waitMs);
  }

  async #untilParked(): Promise<void> {
    const { own } = this.#target;
    const until = systemClock.monotonic() + PARKED_MS;
    if (own === undefined) return pause(SURELY_PARKED_MS);
    while (systemClock.monotonic() < until) {
      const notes = own.notes();
      this.#notes.push(...notes);
      if (notes.some(({ kind }) => kind === NOTE_FRAME)) break;
      await pause(1);
    }
    // The turn of the pull ends behind its note.
    await pause(LOOK_MS);
  }

  async #come(
    first: Promise<Exchange>,
    topic: string,
    queueId: number,
    from: number,
    keys: string[],
    waitMs: number,
  ): Promise<StoredMessage[]> {
    const came: StoredMessage[] = [];
    const until = systemClock.monotonic() + waitMs;
    let pulled = await first;
    let offset = from;
    for (;;) {
      const { body } = pulled.answer;
      const records =
        pulled.answer.code === ResponseCode.SUCCESS && body !== undefined ? recordsOf(body) : [];
      const ours = records.filter((record) => keys.includes(keyOf(record)));
      if (ours.length > 0) this.#deliveries.push({ exchange: pulled, records: ours });
      came.push(...ours.map((record) => decodeRecord(record) as StoredMessage));
      if (came.length >= keys.length) return came;
      if (systemClock.monotonic() > until) throw new Failure(`The message has not come to ${topic} in time.`);
      offset = numberOf(pulled, 'nextBeginOffset', offset);
      if (records.length === 0) await pause(LOOK_MS);
      pulled = await this.#pull(topic, queueId, offset, waitMs);
    }
  }

  /** What the wheel holds of the message while it waits. */
  async #timer(sent: Exchange, delayMs: number): Promise<FoundTimer | undefined> {
    const { store } = this.#target;
    const until = sent.answeredAt + delayMs;
    while (store !== undefined && systemClock.monotonic() < until) {
      const record = store.recordAt(positionIn(sent));
      const timer = record && store.timerOf(record.message);
      if (timer !== undefined) return timer;
      await pause(LOOK_MS);
    }
    return undefined;
  }

  async #giveBack(message: StoredMessage, keys: string[]): Promise<Exchange> {
    const { requests, place } = this.#target;
    const { group } = this.#plan;
    const request = requests.giveBack(
      ...([message.physicalOffset, messageIdOf(message), message.topic, group, RETRY_LEVEL] as const),
    );
    const givenBack = await this.#producer.request(request);
    const { code, remark } = givenBack.answer;
    if (code !== ResponseCode.SUCCESS)
      throw new Failure(
        `The broker ${place.address} did not take the message back: ${remark ?? responseName(code)}.`,
      );
    const came = await this.#await(retryTopicOf(group), 0, keys);
    await came();
    return givenBack;
  }

  /** Until all threads have noted what they did with it: an answer may be here before its write was noted. */
  async #untilNoted(exchanges: readonly Exchange[]): Promise<void> {
    if (this.#target.own === undefined) return;
    const records = this.#deliveries.flatMap((delivery) => delivery.records);
    const end = Math.max(...records.map((record) => positionOf(record) + record.length));
    const until = systemClock.monotonic() + PATIENCE_MS;
    while (systemClock.monotonic() < until) {
      const notes = this.#takeNotes();
      const isPast = (slot: number) => notes.some((note) => positionAfter(note, slot) >= end);
      const isWritten = (exchange: Exchange) => notes.some((note) => isWriteOf(note, exchange));
      if ([APPENDED, DISPATCHED, FLUSHED].every(isPast) && exchanges.every(isWritten)) return;
      await pause(LOOK_MS);
    }
  }

  #takeNotes(): Note[] {
    this.#notes.push(...(this.#target.own?.notes() ?? []));
    return this.#notes;
  }
}

/** The longest of RocketMQ's default levels. */
const LONGEST_LEVEL_MS = 2 * 3_600_000;

function keyOf(record: Uint8Array): string {
  return decodeRecord(record)?.properties.get(PROPERTY_UNIQUE_KEY) ?? '';
}

function positionAfter({ kind, numbers }: Note, slot: number): number {
  return kind === NOTE_ROUND ? (numbers[ROUND_POSITIONS + AWAITED + slot] as number) : 0;
}

/** Whether the note is of the write of that answer. */
export function isWriteOf(
  { kind, numbers, bytes, began }: Note,
  { port, answerFrame, writeBegan }: Exchange,
): boolean {
  const isFor = kind === NOTE_WRITTEN && numbers[1] === port && began >= writeBegan;
  return isFor && Buffer.from(bytes).includes(Buffer.from(answerFrame));
}

/** Where the first record of a send lies, by the message id in its answer. */
export function positionIn({ answer }: Exchange): number {
  const [id = ''] = (answer.fields['msgId'] ?? '').split(',');
  return id.length < 16 ? -1 : Number(BigInt(`0x${id.slice(-16)}`));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
