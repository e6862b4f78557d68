/** Topics that network threads ask for: no thread hears of one before it is on the device. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Requests } from '../../../src/broker/link/link-requests.ts';
import type { BrokerStats } from '../../../src/broker/stats/broker-stats.ts';
import type { Tables } from '../../../src/broker/tables.ts';
import type { Delta, EnsureTopic } from '../../../src/broker/view/deltas.ts';
import { ResponseCode } from '../../../src/protocol/codes.ts';
import type { QueueIds } from '../../../src/store/queue/queue-ids.ts';
import { settle } from '../metadata/support.ts';
import { setUp } from './support.ts';

const test = suite('requests of network threads');

const WANTED: EnsureTopic = {
  what: 'topic',
  name: 'X',
  defaultTopic: 'TBW102',
  defaultTopicQueueNums: 4,
  remoteAddress: '10.0.0.1:1',
  topicSysFlag: 0,
};

/** Real tables whose file is written when the test says so. */
function rig() {
  const { context } = setUp();
  const events: string[] = [];
  const writes: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const { topics } = context;
  topics.saved = () => new Promise((resolve, reject) => writes.push({ resolve, reject }));
  const requests = new Requests(
    context as unknown as Tables,
    {} as unknown as QueueIds,
    {} as unknown as BrokerStats,
    {
      groupName: () => undefined,
      topicSettled: () => Promise.resolve(),
      holdBack: (topic) => {
        events.push(`hold ${topic}`);
        return () => events.push(`announce ${topic}`);
      },
    },
  );
  const ensure = (what: EnsureTopic) =>
    requests.ensure(what, (delta: Delta) => {
      if (delta.kind === 'ensured') events.push(`answer ${delta.code}`);
    });
  return { ensure, events, writes, topics };
}

test('it is announced when it is saved, then answered', async () => {
  const { ensure, events, writes, topics } = rig();
  ensure(WANTED);
  await settle();
  assert.ok(topics.get('X') !== undefined);
  assert.equal(events, ['hold X']);
  writes[0]?.resolve();
  await settle();
  assert.equal(events, ['hold X', 'announce X', 'answer 0']);
});

test('one that cannot be saved is refused, one that may not be made too; neither stays held back', async () => {
  const { ensure, events, writes } = rig();
  ensure(WANTED);
  writes[0]?.reject(new Error('no room'));
  await settle();
  assert.equal(events.splice(0), ['hold X', 'announce X', `answer ${ResponseCode.SYSTEM_ERROR}`]);
  ensure({ ...WANTED, name: 'Y', defaultTopic: 'no-such-topic' });
  await settle();
  assert.equal(events, ['hold Y', 'announce Y', `answer ${ResponseCode.TOPIC_NOT_EXIST}`]);
});

test.run();
