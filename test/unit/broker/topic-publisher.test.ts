/** Topics that are deleted and made again, once or more often, before the first deletion has ended. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TopicPublisher } from '../../../src/broker/topics/topic-publisher.ts';
import type { Delta } from '../../../src/broker/view/deltas.ts';
import type { TopicConfig } from '../../../src/metadata/topic-config.ts';
import { plainChannel } from '../../../src/ring/channel.ts';
import { QUEUE_ADDED, type QueueAdded } from '../../../src/store/dispatch/dispatcher-records.ts';
import { QueueIds } from '../../../src/store/queue/queue-ids.ts';
import { FakeTime, settle } from '../metadata/support.ts';

const test = suite('topic publisher');

const config = (topicName: string) =>
  ({
    topicName,
    readQueueNums: 1,
    writeQueueNums: 1,
    perm: 6,
    attributes: new Map(),
  }) as unknown as TopicConfig;

class Rig {
  readonly time = new FakeTime();
  readonly published: Delta[] = [];
  /** What the dispatcher is told, in order. */
  readonly told: string[] = [];
  /** Ends of the deletions under way, in their order. */
  readonly ends: (() => void)[] = [];
  #position = 0;
  readonly #commands = plainChannel({ ringBytes: 64 * 1024 });
  readonly publisher: TopicPublisher;

  /** `left`: queues that still fit. */
  constructor({ left }: { left?: number } = {}) {
    const ids = new QueueIds();
    if (left !== undefined) Object.defineProperty(ids, 'left', { value: left });
    this.publisher = this.#newPublisher(ids);
  }

  readonly #newPublisher = (ids: QueueIds) =>
    new TopicPublisher({
      ids,
      commands: () => [this.#commands.sender],
      publish: (delta) => this.published.push(delta),
      retireQueues: () => Promise.resolve(++this.#position),
      ended: () => Promise.resolve(),
      settled: () => new Promise((resolve) => this.ends.push(resolve)),
      forgetFiles: () => {},
      endOfTurn: () => {},
      timers: this.time,
      whyLate: (topic) => `${topic} is late`,
    });

  /** Everything that was said reaches the dispatcher. */
  async dispatch(): Promise<string[]> {
    await settle();
    this.publisher.flush();
    const { receiver } = this.#commands;
    while (receiver.next()) {
      const text = Buffer.from(receiver.bytes.subarray(receiver.offset, receiver.offset + receiver.length));
      const added = receiver.type === QUEUE_ADDED ? (JSON.parse(text.toString()) as QueueAdded) : undefined;
      this.told.push(
        added === undefined ? `forget ${text}` : `add ${added.topic} ${added.id} from ${added.bornAt}`,
      );
    }
    receiver.release();
    return this.told;
  }

  get kinds(): string[] {
    return this.published.map(({ kind }) => kind);
  }
}

test('a topic made again is announced when the old one is gone, with ids and a beginning of its own', async () => {
  const rig = new Rig();
  rig.publisher.changed(config('X'));
  rig.publisher.deleted('X');
  rig.publisher.changed(config('X'));
  assert.equal(await rig.dispatch(), ['add X 1 from 0']);
  assert.equal(rig.kinds, ['topic', 'topicDeleted']);
  rig.ends.shift()?.();
  assert.equal(await rig.dispatch(), ['add X 1 from 0', 'forget X', 'add X 2 from 1']);
  assert.equal(rig.kinds, ['topic', 'topicDeleted', 'topic']);
  await rig.publisher.settled('X');
});

for (const order of [
  [0, 1],
  [1, 0],
]) {
  test(`deleted twice before the first has ended: nothing made after both is forgotten (${order})`, async () => {
    const rig = new Rig();
    rig.publisher.changed(config('X'));
    rig.publisher.deleted('X');
    rig.publisher.changed(config('X'));
    rig.publisher.deleted('X');
    await settle();
    const done = rig.publisher.settled('X');
    rig.ends[order[0] as number]?.();
    await rig.dispatch();
    // Made while one deletion is under way, or after both.
    rig.publisher.changed(config('X'));
    await rig.dispatch();
    rig.ends[order[1] as number]?.();
    await rig.dispatch();
    await done;
    const added = rig.told.findLastIndex((told) => told.startsWith('add X'));
    assert.is(rig.kinds.at(-1), 'topic');
    assert.ok(added > rig.told.lastIndexOf('forget X'), rig.told.join(', '));
    assert.is(rig.told[added]?.endsWith('from 2'), true, rig.told.join(', '));
  });
}

test('a topic that is held back is announced when the last reason has gone, as it is then', async () => {
  const rig = new Rig();
  const [first, second] = [rig.publisher.holdBack('X'), rig.publisher.holdBack('X')];
  rig.publisher.changed(config('X'));
  rig.publisher.changed(config('Y'));
  rig.publisher.changed({ ...config('X'), perm: 4 });
  first();
  assert.equal(
    rig.published.map((delta) => 'name' in delta && delta.name),
    ['Y'],
  );
  second();
  const last = rig.published.at(-1);
  assert.equal([rig.kinds, last?.kind === 'topic' && last.perm], [['topic', 'topic'], 4]);
  // Deleted while it is held back: there is nothing to announce.
  const third = rig.publisher.holdBack('Z');
  rig.publisher.changed(config('Z'));
  rig.publisher.deleted('Z');
  third();
  rig.ends.shift()?.();
  await rig.dispatch();
  assert.equal(rig.kinds, ['topic', 'topic', 'topicDeleted']);
});

test('who waits for a deletion is told why it takes so long', async () => {
  const rig = new Rig();
  rig.publisher.changed(config('X'));
  rig.publisher.deleted('X');
  let why = '';
  rig.publisher.settled('X').catch((error: Error) => {
    why = error.message;
  });
  await rig.time.advance(4_000);
  assert.is(why, 'X is late');
  rig.ends.shift()?.();
  await settle();
  await rig.publisher.settled('X');
  assert.is(rig.time.waiting, 0);
});

test('a queue of which a slave hears by its log is told to the dispatcher once, and to nobody else', async () => {
  const rig = new Rig();
  assert.ok(await rig.publisher.nameQueue('X', 3));
  assert.ok(await rig.publisher.nameQueue('X', 3));
  assert.equal(await rig.dispatch(), ['add X 1 from 0']);
  assert.equal(rig.kinds, []);
});

test('it waits while a topic of this name is being deleted: the dispatcher would forget it with that', async () => {
  const rig = new Rig();
  rig.publisher.changed(config('X'));
  rig.publisher.deleted('X');
  const named = rig.publisher.nameQueue('X', 0);
  assert.equal(await rig.dispatch(), ['add X 1 from 0']);
  rig.ends[0]?.();
  assert.ok(await named);
  assert.equal(await rig.dispatch(), ['add X 1 from 0', 'forget X', 'add X 2 from 1']);
});

test('where no more queues fit it is told so', async () => {
  const rig = new Rig({ left: 0 });
  assert.not(await rig.publisher.nameQueue('X', 0));
  assert.equal(await rig.dispatch(), []);
});

test.run();
