/** Messages of two queues: both are there after any stop, and built again like any other. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { liteQueueOf } from '../../../src/lib/lite-names.ts';
import { setSecondQueue } from '../../../src/record/second-queue.ts';
import { headFor, ROOT, smallStore } from '../../support/messages.ts';
import { Random } from '../../support/random.ts';

const test = suite('second queues');
const PARENT = 'parent';
const LITES = ['x', 'y'] as const;
const QUEUES = `${ROOT}/consumequeue`;
type Opened = ReturnType<typeof smallStore>;

const lite = (name: string) => liteQueueOf(PARENT, name);
const noProperties: ReadonlyMap<string, string> = new Map();

/** Sends to lite topics by turns, with messages of no lite topic between them. */
function send({ store, clock }: Opened, count: number, from = 0): void {
  for (let i = from; i < from + count; i++) {
    clock.time += 1000;
    const body = Buffer.from(`m${i}`);
    if (i % 3 === 2) store.append(PARENT, headFor(0), body, '');
    else store.appendTwice(PARENT, headFor(0), body, noProperties, lite(LITES[i % 3] as string));
  }
  store.flush();
  store.dispatch();
}

function bodiesOf({ store }: Opened, topic: string): string[] {
  const queue = store.queue(topic, 0);
  if (queue === undefined) return [];
  return store.reader.readQueue(queue, 0, 1000).map(({ physicalOffset, queueOffset }, i) => {
    assert.is(queueOffset, i);
    const record = Buffer.from(store.reader.recordAt(physicalOffset) as Uint8Array).toString('latin1');
    return /m\d+/.exec(record)?.[0] ?? '';
  });
}

const numbers = (count: number, rest: number) =>
  Array.from({ length: count }, (_, i) => i)
    .filter((i) => rest < 0 || i % 3 === rest)
    .map((i) => `m${i}`);

function check(opened: Opened, count: number, what: string): void {
  assert.equal(bodiesOf(opened, PARENT), numbers(count, -1), `${what}: the parent`);
  for (const [rest, name] of LITES.entries())
    assert.equal(bodiesOf(opened, lite(name)), numbers(count, rest), `${what}: ${name}`);
}

test('a message says its number in the second queue, which counts for itself', () => {
  const opened = smallStore();
  const numbersGiven = LITES.flatMap((name) =>
    [0, 1, 2].map(() =>
      opened.store.appendTwice(PARENT, headFor(0), Buffer.from('b'), noProperties, lite(name)),
    ),
  );
  assert.equal(
    numbersGiven.map(({ queueOffset, secondOffset }) => [queueOffset, secondOffset]),
    [
      [0, 0],
      [1, 1],
      [2, 2],
      [3, 0],
      [4, 1],
      [5, 2],
    ],
  );
  opened.store.flush();
  opened.store.dispatch();
  const record = opened.store.reader.recordAt(numbersGiven[4]?.physicalOffset as number);
  const text = Buffer.from(record as Uint8Array).toString('latin1');
  assert.ok(
    text.includes(`INNER_MULTI_DISPATCH\x01${lite('y')}\x02INNER_MULTI_QUEUE_OFFSET\x010000000000000001`),
  );
});

test('both queues are whole after every stop, and whatever of them is lost is built again', async () => {
  const COUNT = 40;
  const lost = ['', QUEUES, `${QUEUES}/${lite('x')}`, `${QUEUES}/${lite('y')}/0`, `${QUEUES}/${PARENT}`];
  for (const stop of ['clean', 'kill', 'power cut', 'checkpoint'] as const) {
    for (const path of lost) {
      const first = smallStore();
      send(first, COUNT);
      if (stop === 'checkpoint') assert.is(await first.store.checkpoint(), true);
      if (stop === 'clean') assert.is(await first.store.close(), true);
      if (stop === 'power cut') first.disk.powerCut(new Random(1), 0);
      else first.disk.kill();
      if (path !== '') first.disk.remove(path);
      const what = `${stop}, without ${path}`;
      const second = smallStore({}, first.disk, first.clock);
      check(second, COUNT, what);
      send(second, 6, COUNT);
      check(second, COUNT + 6, `${what}, and on`);
      assert.is(await second.store.close(), true);
      const third = smallStore({}, second.disk, second.clock);
      assert.equal(third.warnings, [], `${what}: mended for good`);
      check(third, COUNT + 6, `${what}, once more`);
    }
  }
});

test('a lite topic that is deleted and made again has its new messages only', async () => {
  const first = smallStore();
  send(first, 9);
  first.store.deleteTopic(lite('x'));
  first.store.appendTwice(PARENT, headFor(0), Buffer.from('m100'), noProperties, lite('x'));
  first.store.flush();
  first.store.dispatch();
  first.disk.kill();
  first.disk.remove(QUEUES);
  const second = smallStore({}, first.disk, first.clock);
  assert.equal(bodiesOf(second, lite('x')), ['m100']);
  assert.equal(bodiesOf(second, lite('y')), numbers(9, 1));
});

test('a copy in another topic names the second queue and is not in it', () => {
  const opened = smallStore();
  send(opened, 3);
  const properties = new Map<string, string>();
  setSecondQueue(properties, lite('x'));
  const text = [...properties].map(([name, value]) => `${name}\x01${value}\x02`).join('');
  for (const topic of ['%DLQ%group', `${PARENT}2`, 'p'])
    opened.store.append(topic, headFor(0), Buffer.from('m9'), text);
  opened.store.flush();
  opened.store.dispatch();
  assert.equal(bodiesOf(opened, lite('x')), ['m0']);
});

test.run();
