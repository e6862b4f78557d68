// The broker goes away, cleanly or by kill -9, under messages of lite topics, and comes back on its store:
// nothing that is acknowledged is lost, places go on without gap or repetition, each lite topic stays in
// order.

import * as assert from 'uvu/assert';
import { CLEAN_STOP, type Departure, DepartureStage, KILL } from './scenarios/departures.ts';
import {
  acked,
  added,
  bodiesOf,
  LITE_CONF,
  type LitePlace,
  makeLiteGroup,
  makeParent,
  placesIn,
  putLite,
} from './scenarios/lite.ts';
import { numbered } from './scenarios/popping.ts';
import { LiteClient } from './support/lite.ts';
import { RawConnection, send } from './support/raw.ts';
import { encodeProperties } from './support/records.ts';
import { interopSuite } from './support/suite.ts';

const test = interopSuite('restart with lite topics');

const PATIENCE = 60_000;
/** What is out when the broker goes is out no longer than this. */
const INVISIBLE = 3_000;
const ENOUGH = 1_000;
/** A broker that stops may take its time. */
const AT_MOST = 3_000;
const IN_FLIGHT = 16;

/** Subscriptions live in the memory of the broker: a client makes them anew, as its every request would. */
async function member(stage: DepartureStage, topic: string, lites: readonly string[]): Promise<LiteClient> {
  const group = `${topic}-group`;
  const client = await LiteClient.open(stage.broker, { topic, group, clientId: 'member' });
  await added(client, ...lites);
  return client;
}

async function open(departure: Departure, topic: string): Promise<DepartureStage> {
  const stage = await DepartureStage.open(departure, LITE_CONF);
  const connection = await RawConnection.open(stage.broker.address);
  await makeParent(connection, topic);
  await makeLiteGroup(connection, `${topic}-group`, topic);
  connection.destroy();
  return stage;
}

/** What a client gets of each lite topic until the last of each has come, all of it acknowledged. */
async function gathered(
  client: LiteClient,
  lasts: Readonly<Record<string, string>>,
): Promise<Map<string, string[]>> {
  const had = new Map<string, string[]>(Object.keys(lasts).map((lite) => [lite, []]));
  const complete = () => Object.entries(lasts).every(([lite, last]) => had.get(lite)?.at(-1) === last);
  for (const end = Date.now() + PATIENCE; !complete(); ) {
    const { messages } = await client.next();
    for (const { liteTopic, body } of messages) had.get(liteTopic)?.push(body.toString());
    await acked(client, ...messages);
    if (Date.now() > end) throw new Error(`the last has not come: ${JSON.stringify([...had])}`);
  }
  return had;
}

/** Places of each lite topic are 0, 1, 2 and so on. */
function withoutGap(places: ReadonlyMap<string, readonly LitePlace[]>): void {
  for (const [lite, those] of places)
    assert.equal(
      those.map(({ place }) => place),
      those.map((_, index) => index),
      lite,
    );
}

async function consumedAcross(departure: Departure): Promise<void> {
  const topic = 'lite-across';
  const stage = await open(departure, topic);
  const before = await member(stage, topic, ['a']);
  await putLite(before, 'a', numbered('a', 6));
  await putLite(before, 'b', numbered('b', 4));
  const { messages } = await before.next({ maxMsgNum: 4, invisibleTime: INVISIBLE });
  assert.equal(bodiesOf({ messages }), numbered('a', 4));
  await acked(before, ...messages.slice(0, 2));
  await added(before, 'b');
  const b = await before.next();
  assert.equal(bodiesOf(b), numbered('b', 4));
  await acked(before, ...b.messages);
  before.close();

  await stage.restart();
  const after = await member(stage, topic, ['a', 'b']);
  await putLite(after, 'a', ['a-6', 'a-7']);
  await putLite(after, 'b', ['b-4', 'b-5']);
  const places = await placesIn(after.connection, topic);
  withoutGap(places);
  const stored = (lite: string) => places.get(lite)?.map(({ body }) => body);
  assert.equal([stored('a'), stored('b')], [numbered('a', 8), numbered('b', 6)]);
  const had = await gathered(after, { a: 'a-7', b: 'b-5' });
  for (const [lite, acknowledged, count] of [
    ['a', 2, 8],
    ['b', 4, 6],
  ] as const) {
    const those = had.get(lite) ?? [];
    const first = numbered(lite, count).indexOf(those[0] ?? '');
    assert.equal(those, numbered(lite, count).slice(first), 'in order, and none is left out');
    // What was acknowledged in the last seconds before a kill may come again.
    if (departure === KILL) assert.ok(first <= acknowledged, `${first}`);
    else assert.is(first, acknowledged);
  }
  after.close();
  await stage.stop();
}

/** Sends to lite topics by turns until the broker is gone; what it has acknowledged, by lite topic. */
class Traffic {
  readonly acknowledged = new Map<string, string[]>();
  #count = 0;
  readonly #connection: RawConnection;
  readonly #topic: string;
  readonly #lites: readonly string[];

  constructor(connection: RawConnection, topic: string, lites: readonly string[]) {
    this.#connection = connection;
    this.#topic = topic;
    this.#lites = lites;
    for (const lite of lites) this.acknowledged.set(lite, []);
  }

  get total(): number {
    return [...this.acknowledged.values()].reduce((sum, bodies) => sum + bodies.length, 0);
  }

  /** One after the other; several of these make several sends in flight. */
  async run(): Promise<void> {
    while (!this.#connection.closed && this.#count < AT_MOST) {
      const number = this.#count++;
      const lite = this.#lites[number % this.#lites.length] ?? '';
      const body = `${lite}-${number}`;
      const properties = encodeProperties({ KEYS: body, __LITE_TOPIC: lite });
      const request = send(this.#topic, { queueId: number % 2, properties }, body);
      const answer = await this.#connection.request(request).catch(() => undefined);
      if (answer?.code === 0) this.acknowledged.get(lite)?.push(body);
    }
  }

  until(count: number): Promise<true> {
    const look = () => (this.total >= count ? true : undefined);
    return this.#connection.until(`${count} acknowledged`, look, PATIENCE);
  }
}

async function sentAcross(departure: Departure): Promise<void> {
  const topic = 'sent-across';
  const lites = ['x', 'y', 'z'];
  const stage = await open(departure, topic);
  const connection = await RawConnection.open(stage.broker.address);
  const traffic = new Traffic(connection, topic, lites);
  const running = Array.from({ length: IN_FLIGHT }, () => traffic.run());
  await traffic.until(ENOUGH);
  await stage.restart();
  connection.destroy();
  await Promise.all(running);

  const client = await member(stage, topic, lites);
  const kept = await placesIn(client.connection, topic);
  withoutGap(kept);
  for (const lite of lites) await putLite(client, lite, [`${lite}-last`]);
  const places = await placesIn(client.connection, topic);
  withoutGap(places);
  const lasts = Object.fromEntries(lites.map((lite) => [lite, `${lite}-last`]));
  const had = await gathered(client, lasts);
  for (const lite of lites) {
    const stored = places.get(lite)?.map(({ body }) => body) ?? [];
    assert.equal(stored, [...(kept.get(lite)?.map(({ body }) => body) ?? []), `${lite}-last`]);
    assert.is(new Set(stored).size, stored.length, 'none is there twice');
    const lost = traffic.acknowledged.get(lite)?.filter((body) => !stored.includes(body));
    assert.equal(lost, [], `acknowledged and lost of ${lite}`);
    assert.equal(had.get(lite), stored, `${lite} comes in order`);
  }
  client.close();
  await stage.stop();
}

for (const departure of [KILL, CLEAN_STOP]) {
  test(`what is consumed of lite topics, ${departure.name}`, () => consumedAcross(departure));
  test(`what is sent to lite topics, ${departure.name}`, () => sentAcross(departure));
}

test.run();
