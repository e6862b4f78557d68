// Messages at a time of the sender's choice: never before it, once, and as they were sent.

import * as assert from 'uvu/assert';
import type { Args, Kit } from '../support/clients.ts';
import { Dialogue, type Refusal } from '../support/dialogue.ts';
import { Ledger } from '../support/ledger.ts';
import type { Cluster } from '../support/target.ts';
import { allIntact, Consumer, createTopic, type Delivered, introduceGroup } from './actors.ts';
import { flags, type HalfSent } from './transacting.ts';

/** The real broker takes a second for its smallest unit of time, which may be asked for in configuration. */
const PRECISION = 1_000;
const DELAYED = 16;
const START = 30_000;

/** Properties that a timed message has when it arrives, beside those of any message. */
const OF_TIMERS = ['REAL_QID', 'REAL_TOPIC', 'TIMER_DEQUEUE_MS', 'TIMER_ENQUEUE_MS', 'TIMER_OUT_MS'];
const OF_ANY = ['CLUSTER', 'MSG_REGION', 'TRACE_ON', 'UNIQ_KEY', 'WAIT'];
const SENDERS_OWN = ['KEYS', 'TAGS', 'crc', 'number', 'unicode'];
const OF_CLIENT = ['CONSUME_START_TIME', 'MAX_OFFSET', 'MIN_OFFSET'];

export interface Timing {
  readonly topic: string;
  readonly prefix: string;
  readonly number?: number;
  readonly tags?: string;
  readonly 'delay-sec'?: number;
  readonly 'delay-ms'?: number;
  readonly 'deliver-ms'?: number;
  readonly 'delay-level'?: number;
}

export interface TimedSent extends HalfSent {
  /** No delivery may be before this time. */
  readonly due: number;
}

export class Timer {
  readonly #dialogue: Dialogue;

  constructor(kit: Kit, cluster: Pick<Cluster, 'nameServer'>, args: Args = {}) {
    this.#dialogue = new Dialogue(kit.start('Timed', { namesrv: cluster.nameServer.address, ...args }));
  }

  async send(timing: Timing): Promise<TimedSent> {
    const delay = 1_000 * (timing['delay-sec'] ?? 0) || timing['delay-ms'] || 0;
    const due = delay > 0 ? Date.now() + delay : (timing['deliver-ms'] ?? 0);
    return { ...((await this.#dialogue.ask(`send ${flags(timing)}`)) as HalfSent), due };
  }

  refused(timing: Timing): Promise<Refusal> {
    return this.#dialogue.refused(`send ${flags(timing)}`);
  }

  async recall(topic: string, handle: string | null): Promise<string> {
    return String(await this.#dialogue.ask(`recall ${topic} ${handle}`));
  }

  recallRefused(topic: string, handle: string | null): Promise<Refusal> {
    return this.#dialogue.refused(`recall ${topic} ${handle}`);
  }

  end(): Promise<void> {
    return this.#dialogue.end();
  }
}

export async function threeWays(kit: Kit, cluster: Cluster, suffix = ''): Promise<void> {
  const topic = `timed${suffix}`;
  await createTopic(kit, cluster, topic);
  const ledger = new Ledger();
  ledger.send(`first-of-${topic}-0`);
  const consumer = new Consumer(kit, cluster, { topic, group: `timed-group${suffix}` }, ledger);
  const timer = new Timer(kit, cluster);
  const sent: TimedSent[] = [];
  for (let number = 0; number < DELAYED; number++) {
    const wholeSecond = Math.ceil(Date.now() / PRECISION) * PRECISION;
    const ways: Partial<Timing>[] = [
      { 'delay-sec': 1 + (number % 3) },
      { 'delay-ms': 700 + 333 * (number % 5) },
      { 'deliver-ms': Date.now() + 2_500 },
      { 'deliver-ms': wholeSecond + 2 * PRECISION }, // the case where the unit is taken off once more
    ];
    const way = ways[number % ways.length];
    sent.push(await timer.send({ topic, prefix: 't', number, tags: 'T', ...way }));
  }
  for (const { key } of sent) ledger.send(key);
  await consumer.receives(ledger);
  await Promise.all([timer.end(), consumer.stop()]);
  ledger.exactlyOnce();
  allIntact(consumer.delivered);
  for (const timed of sent) isRight(delivery(consumer, timed.key), timed, topic);
}

function delivery(consumer: Consumer, key: string): Delivered {
  const found = consumer.delivered.find((message) => message.key === key);
  if (found === undefined) throw new Error(`${key} was not delivered`);
  return found;
}

function isRight(message: Delivered, timed: TimedSent, topic: string): void {
  notEarly(message, timed.due);
  assert.is(message.topic, topic);
  assert.is(message.queueId, timed.queueId, 'the queue that the producer chose');
  assert.is(message.msgId, timed.msgId);
  assert.is(message.tag, 'T');
  assert.is(message.reconsumeTimes, 0);
  const asked = ['TIMER_DELAY_SEC', 'TIMER_DELAY_MS', 'TIMER_DELIVER_MS'];
  const names = Object.keys(message.properties).filter((name) => !OF_CLIENT.includes(name));
  assert.is(names.filter((name) => asked.includes(name)).length, 1, 'what was asked for stays');
  assert.equal(
    names.filter((name) => !asked.includes(name)).sort(),
    [...OF_ANY, ...OF_TIMERS, ...SENDERS_OWN].sort(),
  );
  assert.is(message.properties['REAL_TOPIC'], topic);
  assert.is(message.properties['REAL_QID'], String(timed.queueId));
  const out = Number(message.properties['TIMER_OUT_MS']);
  assert.is(out % PRECISION, 0, 'TIMER_OUT_MS is a whole unit');
  const [version, named, , timestamp, id] = decodeHandle(timed.recallHandle);
  if (timed.recallHandle === null) return; // the 4.9 client knows nothing of it
  assert.equal([version, named, id], ['v1', topic, timed.msgId]);
  assert.is(Number(timestamp), out + 1, 'the handle says when');
}

/** By the clock of the broker that wrote it, which is this machine's. */
export function notEarly(message: Delivered, due: number): void {
  const early = due - message.storeTime;
  assert.ok(early <= 0, `${message.key} was written ${early} ms before it was due`);
}

export function decodeHandle(handle: string | null): string[] {
  return Buffer.from(handle ?? '', 'base64url')
    .toString()
    .split(' ');
}

export function encodeHandle(...parts: readonly (string | number)[]): string {
  const text = Buffer.from(parts.join(' ')).toString('base64url');
  return text.padEnd(Math.ceil(text.length / 4) * 4, '='); // Java's encoder pads
}

/** A delay level beside a time: the level counts, the time is forgotten. Of several times the first kind counts. */
export async function precedence(kit: Kit, cluster: Cluster): Promise<void> {
  const topic = 'precedence';
  await createTopic(kit, cluster, topic);
  const ledger = new Ledger();
  ledger.send(`first-of-${topic}-0`);
  const consumer = new Consumer(kit, cluster, { topic, group: 'precedence-group' }, ledger);
  const timer = new Timer(kit, cluster);
  const far = Date.now() + 600_000;
  const level = await timer.send({ topic, prefix: 'level', 'delay-level': 1, 'deliver-ms': far });
  const seconds = await timer.send({
    topic,
    prefix: 'sec',
    'delay-sec': 1,
    'delay-ms': 60_000,
    'deliver-ms': far,
  });
  const milliseconds = await timer.send({ topic, prefix: 'ms', 'delay-ms': 1_000, 'deliver-ms': far });
  for (const { key } of [level, seconds, milliseconds]) ledger.send(key);
  await consumer.receives(ledger);
  await Promise.all([timer.end(), consumer.stop()]);
  ledger.exactlyOnce();
  const byLevel = delivery(consumer, level.key);
  assert.is(level.recallHandle, null, 'a delay level cannot be recalled');
  assert.is(byLevel.properties['TIMER_DELIVER_MS'], undefined);
  assert.is(byLevel.properties['TIMER_OUT_MS'], undefined);
  assert.is(byLevel.properties['DELAY'], '1');
  assert.ok(byLevel.storeTime >= byLevel.bornTime + 1_000);
  notEarly(delivery(consumer, seconds.key), seconds.due);
  notEarly(delivery(consumer, milliseconds.key), milliseconds.due);
}

/** Times that lie in the past, or a delay of 0 or less: delivered at once. Too far ahead: refused. */
export async function limits(kit: Kit, cluster: Cluster, maxDelaySec: number): Promise<void> {
  const topic = 'timer-limits';
  await createTopic(kit, cluster, topic);
  const ledger = new Ledger();
  ledger.send(`first-of-${topic}-0`);
  const consumer = new Consumer(kit, cluster, { topic, group: 'timer-limits-group' }, ledger);
  const timer = new Timer(kit, cluster);
  const past: Partial<Timing>[] = [
    { 'delay-sec': 0 },
    { 'delay-sec': -5 },
    { 'delay-ms': 0 },
    { 'delay-ms': -86_400_000 },
    { 'deliver-ms': 0 },
    { 'deliver-ms': Date.now() - 86_400_000 },
  ];
  for (const [number, way] of past.entries()) {
    const sent = await timer.send({ topic, prefix: 'past', number, ...way });
    assert.is(sent.recallHandle, null);
    ledger.send(sent.key);
  }
  for (const way of [
    { 'delay-sec': maxDelaySec + 1 },
    { 'delay-ms': maxDelaySec * 1_000 + 1 },
    { 'deliver-ms': Date.now() + maxDelaySec * 1_000 + 60_000 },
  ]) {
    const refusal = await timer.refused({ topic, prefix: 'far', ...way });
    assert.is(refusal.code, 13, JSON.stringify(way));
    const remark = `timer message illegal, the delay time should not be bigger than the max delay ${maxDelaySec}000ms`;
    assert.match(refusal.message, new RegExp(remark));
  }
  const last = await timer.send({ topic, prefix: 'last', 'delay-sec': maxDelaySec });
  assert.ok(last.recallHandle !== null, 'the limit itself is allowed');
  await consumer.receives(ledger);
  await Promise.all([timer.end(), consumer.stop()]);
  ledger.exactlyOnce();
  for (const message of consumer.delivered) assert.is(message.properties['TIMER_OUT_MS'], undefined);
}

/** A consumer of one tag gets the timed messages of that tag. */
export async function filteredTimers(kit: Kit, cluster: Cluster): Promise<void> {
  const topic = 'timed-tags';
  await createTopic(kit, cluster, topic);
  await introduceGroup(kit, cluster, topic, 'timed-tags-group');
  const ledger = new Ledger();
  const args = { topic, group: 'timed-tags-group', expression: 'A' };
  const consumer = new Consumer(kit, cluster, args, ledger);
  await consumer.program.waitForEvent('ready', START);
  const timer = new Timer(kit, cluster);
  for (let number = 0; number < 8; number++) {
    const tags = number % 2 === 0 ? 'A' : 'B';
    const { key } = await timer.send({ topic, prefix: 'f', number, tags, 'delay-ms': 1_000 });
    if (tags === 'A') ledger.send(key);
  }
  await consumer.receives(ledger);
  const { key } = await timer.send({ topic, prefix: 'last', tags: 'A', 'delay-ms': 1_500 });
  ledger.send(key);
  await consumer.receives(ledger);
  await Promise.all([timer.end(), consumer.stop()]);
  ledger.exactlyOnce();
}

/** A recalled message never comes; its neighbours of the same second do. */
export async function recalling(kit: Kit, cluster: Cluster): Promise<void> {
  const topic = 'recalled';
  await createTopic(kit, cluster, topic);
  const ledger = new Ledger();
  ledger.send(`first-of-${topic}-0`);
  const consumer = new Consumer(kit, cluster, { topic, group: 'recalled-group' }, ledger);
  const timer = new Timer(kit, cluster, { group: 'recaller' });
  const at = Date.now() + 6_000;
  const sent: TimedSent[] = [];
  for (let number = 0; number < 9; number++)
    sent.push(await timer.send({ topic, prefix: 'r', number, 'deliver-ms': at }));
  for (const [index, one] of sent.entries()) {
    if (index % 3 !== 1) ledger.send(one.key);
    else assert.is(await timer.recall(topic, one.recallHandle), one.msgId);
  }
  const again = await timer.recall(topic, sent[1]?.recallHandle ?? null);
  assert.is(again, sent[1]?.msgId, 'a second recall is answered like the first');
  const late = await timer.send({ topic, prefix: 'late', 'deliver-ms': at + 2_000 });
  ledger.send(late.key);
  await consumer.receives(ledger); // with the last one everything that was due before has come

  const fired = await timer.recallRefused(topic, sent[0]?.recallHandle ?? null);
  assert.is(fired.code, 604);
  assert.match(fired.message, /recall failed, timestamp invalid/);
  await Promise.all([timer.end(), consumer.stop()]);
  ledger.exactlyOnce();
}
