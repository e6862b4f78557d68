// Which lite topics there are, how long they stay, and what goes with their parents.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_LITE_TOPICS } from '../../../src/lib/limits.ts';
import { liteNamesIn, liteQueueOf } from '../../../src/lib/lite-names.ts';
import { LiteTopics } from '../../../src/metadata/lite-topics.ts';
import { newTopicConfig } from '../../../src/metadata/topic-config.ts';
import { ENDLESS, TopicTable } from '../../../src/metadata/topics.ts';
import { FakeTime, temporaryDirectory, testSettings } from './support.ts';

const test = suite('lite topics');
const MINUTE = 60_000;

function setUp(room = ENDLESS) {
  const time = new FakeTime();
  const topics = new TopicTable(temporaryDirectory(), testSettings(), time);
  const lites = new LiteTopics(topics, room);
  const news: string[] = [];
  lites.made.add(({ topicName, perm }) => news.push(`${topicName} made ${perm}`));
  lites.deleted.add((queue) => news.push(`${queue} deleted`));
  const parent = (name: string, attributes: Record<string, string> = {}) =>
    topics.createIfAbsent({
      ...newTopicConfig(name, 1),
      attributes: new Map(Object.entries({ 'message.type': 'LITE', ...attributes })),
    });
  return { time, topics, lites, news, parent };
}

test('names of queues hold both names', () => {
  assert.is(liteQueueOf('p', 'l'), '%LMQ%$p$l');
  assert.equal(liteNamesIn('%LMQ%$p$l'), { parent: 'p', liteTopic: 'l' });
  for (const other of ['%LMQ%p$l', '%LMQ%$p', '%LMQ%$p$', '%LMQ%$$l', '%LMQ%$p$l$m', 'p']) {
    assert.is(liteNamesIn(other), undefined, other);
  }
});

test('one is made below a LITE topic, once, and may only be read', () => {
  const { lites, news, parent } = setUp();
  parent('p');
  for (let i = 0; i < 2; i++) lites.ensure('%LMQ%$p$l');
  assert.equal(news, ['%LMQ%$p$l made 4']);
  assert.ok(lites.has('%LMQ%$p$l') && !lites.has('%LMQ%$p$m') && !lites.has('p'));
});

test('there is none without a parent, below a topic of another type, by a bad name, or beyond what fits', () => {
  const { topics, lites, parent } = setUp();
  const refused = (queue: string, why: RegExp) => assert.throws(() => lites.ensure(queue), why, queue);
  refused('%LMQ%$p$l', /topic\[p\] not exist/);
  topics.createInternal('q', 1);
  refused('%LMQ%$q$l', /message.type is not LITE/);
  parent('%RETRY%g');
  refused('%LMQ%$%RETRY%g$l', /message.type is not LITE/);
  parent('p');
  refused('%LMQ%$p$a/b', /may have the characters/);
  refused(`%LMQ%$p$${'l'.repeat(250)}`, /MAX_NAME/);
  refused('%LMQ%$p$l$m', /name of no lite topic/);
  for (let i = 0; i < MAX_LITE_TOPICS; i++) lites.ensure(`%LMQ%$p$${i}`);
  refused('%LMQ%$p$l', /MAX_LITE_TOPICS/);
  const full = setUp({ left: 0, reserve: () => false });
  full.parent('p');
  assert.throws(() => full.lites.ensure('%LMQ%$p$l'), /MAX_QUEUES/);
});

test('they go with their parent, and nobody makes it again before they are gone', () => {
  const { time, topics, lites, news, parent } = setUp();
  parent('p');
  parent('q');
  lites.ensure('%LMQ%$q$l');
  for (let i = 0; i < 600; i++) lites.ensure(`%LMQ%$p$${i}`);
  news.length = 0;
  topics.delete('p');
  assert.ok(lites.of('p').size > 0, 'not all in one turn');
  assert.throws(() => parent('p'), /lite topics of a deleted topic\[p\] are still to be deleted/);
  for (let turn = 0; turn < 10; turn++) lites.tidy(time, () => -1);
  assert.is(news.filter((line) => line.endsWith('deleted')).length, 600);
  assert.is(lites.size, 1);
  parent('p');
  lites.ensure('%LMQ%$p$1');
  assert.is(lites.of('p').size, 1);
});

test('those that recovery finds are there, and those without a parent go', () => {
  const { time, lites, news, parent } = setUp();
  parent('p');
  lites.load(['%LMQ%$p$l', '%LMQ%$gone$l', 'p', '%LMQ%mqtt', '%LMQ%$p$l']);
  assert.equal(news, ['%LMQ%$p$l made 4', '%LMQ%$gone$l made 4']);
  lites.tidy(time, () => -1);
  assert.is(news.at(-1), '%LMQ%$gone$l deleted');
  assert.is(lites.size, 1);
});

test('one in which nothing has come for its time is deleted, not before a quarter of an hour', async () => {
  const { time, lites, news, parent } = setUp();
  parent('p', { 'lite.topic.expiration': '30' });
  parent('q', { 'lite.topic.expiration': '1' });
  parent('r');
  parent('s', { 'lite.topic.expiration': '-1' });
  for (const name of ['p', 'q', 'r', 's']) lites.ensure(`%LMQ%$${name}$l`);
  lites.ensure('%LMQ%$p$empty');
  const begin = time.now();
  news.length = 0;
  const tidyAfter = async (minutes: number) => {
    while (time.now() < begin + minutes * MINUTE) {
      await time.advance(MINUTE);
      for (let turn = 0; turn < 3; turn++)
        lites.tidy(time, (queue) => (queue.endsWith('empty') ? -1 : begin));
    }
  };
  await tidyAfter(15);
  assert.equal(news, []);
  await tidyAfter(29);
  assert.equal(news, ['%LMQ%$q$l deleted']);
  await tidyAfter(33);
  assert.equal(news, ['%LMQ%$q$l deleted', '%LMQ%$p$l deleted']);
  assert.is(lites.size, 3);
});

test('the clock, also a wrong one, tells the age of what a process has found, but for the last hour', async () => {
  const { time, lites, news, parent } = setUp();
  parent('p', { 'lite.topic.expiration': '600' });
  lites.ensure('%LMQ%$p$old');
  lites.ensure('%LMQ%$p$new');
  const stored = time.now();
  time.jump(2_000 * MINUTE);
  const after = async (minutes: number) => {
    for (let i = 0; i < minutes; i++) {
      await time.advance(MINUTE);
      for (let turn = 0; turn < 3; turn++)
        lites.tidy(time, (queue) => (queue.endsWith('new') ? time.now() : stored));
    }
    return news.filter((line) => line.endsWith('deleted'));
  };
  assert.equal(await after(58), []);
  assert.equal(await after(6), ['%LMQ%$p$old deleted']);
});

test('those of a master are known before their parent is, and go with it', () => {
  const { topics, lites, news, parent } = setUp();
  for (const name of ['%LMQ%$p$l', '%LMQ%$p$l', 'T']) lites.follow(name);
  assert.equal(news.splice(0), ['%LMQ%$p$l made 4']);
  parent('p');
  topics.delete('p');
  assert.equal(news, ['%LMQ%$p$l deleted']);
});

test.run();
