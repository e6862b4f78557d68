// `ringmq group`, `offset` and `dlq` against the target, with Java consumers in the groups.

import * as assert from 'uvu/assert';
import { Consumer } from './scenarios/actors.ts';
import { java55 } from './support/clients.ts';
import { CommandLine } from './support/command-line.ts';
import { Popper } from './support/pops.ts';
import { RawConnection } from './support/raw.ts';
import { clusterSuite } from './support/suite.ts';

const { test, cluster } = clusterSuite('command line: groups');
const ringmq = () => new CommandLine(cluster());

const CONSUMER_SEND_MSG_BACK = 36;
/** Past all delays: at once to the dead-letter queue. */
const DEAD = -1;

interface Step {
  queue: number;
  from: number;
  to: number;
  skipped: number;
  repeated: number;
}

/** A topic of one queue with messages 0, 1, ..., and a group that has committed what is there. */
async function consumed(topic: string, group: string, count: number): Promise<void> {
  await ringmq().topic(topic, '--queues', '1');
  const bodies = Array.from({ length: count }, (_, i) => `${i}\n`).join('');
  await ringmq().does(['produce', topic, '--key', topic], bodies);
  await ringmq().until(['topic', 'show', topic], ({ queues }) => queues[0].max === count);
  await ringmq().does(['consume', topic, '--group', group, '--until-end']);
}

test('made, listed, shown, changed, deleted', async () => {
  await ringmq().does(['group', 'create', 'made', '--retries', '3', '--orderly', 'on']);
  const listed = async () =>
    ((await ringmq().json(['group', 'list'])) as { name: string }[]).find(({ name }) => name === 'made');
  const brokers = [cluster().broker.name];
  const made = { name: 'made', members: 0, retries: 3, orderly: true, mayConsume: true, brokers };
  assert.equal(await listed(), made);
  await ringmq().does(['group', 'change', 'made', '--retries', '5', '--consume', 'off']);
  assert.equal(await listed(), { ...made, retries: 5, mayConsume: false });
  assert.match(await ringmq().does(['group', 'show', 'made']), /^may consume +no$/m);
  await ringmq().fails(['group', 'create', 'made'], 1, /has a group made already/);
  await ringmq().fails(['group', 'show', 'mdae'], 1, /no group mdae: did you mean made\?/);
  await ringmq().fails(
    ['group', 'delete', 'made'],
    2,
    /made and its offsets are going to be deleted .* add --yes/,
  );
  await ringmq().does(['group', 'delete', 'made', '--yes']);
  assert.is(await listed(), undefined);
});

test('lag in messages and in time', async () => {
  await consumed('lagging', 'laggard', 2);
  await ringmq().does(['produce', 'lagging', '-m', 'a', '-m', 'b']);
  const { lag, members, queues } = await ringmq().until(
    ['offset', 'lag', 'laggard', 'lagging'],
    ({ lag }) => lag === 2,
  );
  assert.equal([lag, members, queues.length], [2, 0, 1]);
  const [queue] = queues;
  assert.equal([queue.committed, queue.max], [2, 4]);
  const [first, last] = (await ringmq().lines(['consume', 'lagging', '--since', 'earliest', '--until-end']))
    .slice(2)
    .map(({ stored }) => Date.parse(stored)) as [number, number];
  assert.is(queue.behindLastMs, last - first);
  assert.ok(queue.waitsMs >= last - first, 'the oldest waits since it was stored');
  assert.is(Date.parse(queue.lastStored), last);
  assert.match(
    await ringmq().does(['offset', 'lag', 'laggard']),
    /laggard: 2 messages wait, the oldest for /,
  );
  await ringmq().fails(['offset', 'lag', 'lagard'], 1, /no group lagard: did you mean laggard\?/);
});

test('a reset shows what it skips or repeats, and does that', async () => {
  await consumed('reset', 'resetter', 10);
  const plan = async (to: string, ...options: string[]): Promise<Step> =>
    (await ringmq().json(['offset', 'reset', 'resetter', 'reset', '--to', to, ...options])).queues[0];
  assert.equal(await plan('-3', '--dry-run'), {
    broker: cluster().broker.name,
    queue: 0,
    from: 10,
    to: 7,
    skipped: 0,
    repeated: 3,
  });
  const committed = async () =>
    (await ringmq().json(['offset', 'lag', 'resetter', 'reset'])).queues[0].committed;
  assert.is(await committed(), 10, 'a dry run does nothing');
  await ringmq().fails(
    ['offset', 'reset', 'resetter', 'reset', '--to', 'earliest'],
    2,
    /skip 0 messages and to get 10 messages of reset again\..* add --yes/,
  );
  for (const [to, expected] of [
    ['earliest', 0],
    ['+4', 4],
    ['-1', 3],
    ['8', 8],
    ['99', 10],
    ['latest', 10],
    ['1h', 0],
  ] as const) {
    assert.is((await plan(to, '--yes')).to, expected, to);
    assert.is(await committed(), expected, to);
  }
  const stored = (await ringmq().lines(['consume', 'reset', '--since', 'earliest', '--until-end'])).map(
    ({ stored }) => Date.parse(stored),
  );
  const time = stored[5] as number;
  assert.is((await plan(String(time), '--yes')).to, stored.indexOf(time));
  assert.equal(
    (await ringmq().lines(['consume', 'reset', '--group', 'resetter', '--until-end'])).map(({ body }) =>
      Number(body),
    ),
    Array.from({ length: 10 }, (_, i) => i).slice(stored.indexOf(time)),
  );
  await ringmq().fails(
    ['offset', 'reset', 'resetter', 'reset', '--to', 'soon'],
    2,
    /--to soon is not possible/,
  );
  await ringmq().fails(
    ['offset', 'reset', 'resetter', 'reset', '--to', '0', '--queue', '3'],
    2,
    /reset has 1 queue/,
  );
  await ringmq().fails(['offset', 'reset', 'resettr', 'reset', '--to', '0'], 1, /did you mean resetter\?/);
});

test('a Java consumer that is online goes on where its group was reset to', async () => {
  await ringmq().topic('online', '--queues', '1');
  const consumer = new Consumer(java55, cluster(), { topic: 'online', group: 'onliner', from: 'first' });
  await consumer.holds(1);
  await ringmq().does(['produce', 'online', '-m', 'x', '--count', '3', '--key', 'k']);
  await consumer.count(3);
  await ringmq().until(
    ['offset', 'lag', 'onliner', 'online'],
    ({ lag, members }) => lag === 0 && members === 1,
  );
  await ringmq().does(['offset', 'reset', 'onliner', 'online', '--to', 'earliest', '--yes']);
  await consumer.count(6);
  assert.equal(
    consumer.delivered
      .slice(3)
      .map(({ queueOffset }) => queueOffset)
      .sort(),
    [0, 1, 2],
  );
  const shown = await ringmq().json(['group', 'show', 'onliner']);
  assert.equal([shown.members.length, shown.members[0].language], [1, 'JAVA']);
  await consumer.stop();
});

/** Gives messages of a topic back as a consumer does that gives them up; returns their ids. */
async function die(topic: string, group: string): Promise<string[]> {
  const connection = await RawConnection.open(cluster().broker.address);
  const messages = await ringmq().lines(['consume', topic, '--since', 'earliest', '--until-end']);
  for (const { id, offsetId } of messages) {
    const offset = Number.parseInt(offsetId.slice(-16), 16);
    const ext = { offset, group, delayLevel: DEAD, originMsgId: id, originTopic: topic };
    assert.is((await connection.request({ code: CONSUMER_SEND_MSG_BACK, ext })).code, 0);
  }
  connection.destroy();
  return messages.map(({ id }) => id);
}

interface Outcome {
  id: string;
  ok: boolean;
  skipped: boolean;
  topic: string;
}

test('dead letters are listed, shown and given to their group again', async () => {
  await consumed('deadly', 'mourner', 3);
  await ringmq().does(['consume', 'deadly', '--group', 'bystander', '--until-end']);
  assert.match(await ringmq().does(['dlq', 'list', 'mourner']), /mourner has no dead letters/);
  const ids = await die('deadly', 'mourner');
  await ringmq().lineCount(['dlq', 'list', 'mourner', '--json'], 3);
  const letters = await ringmq().lines(['dlq', 'list', 'mourner']);
  assert.equal(
    letters.map(({ id, body }) => [id, body]),
    ids.map((id, i) => [id, String(i)]),
  );
  assert.match(await ringmq().does(['dlq', 'list', 'mourner']), new RegExp(`${ids[0]} +deadly `));
  const groups = (await ringmq().json(['dlq', 'list'])) as { group: string; deadLetters: number }[];
  assert.is(groups.find(({ group }) => group === 'mourner')?.deadLetters, 3);
  const first = ids[0] as string;
  assert.match(await ringmq().does(['dlq', 'show', 'mourner', first]), /^topic +%DLQ%mourner$/m);
  await ringmq().fails(['dlq', 'show', 'mourner', 'ABCD'], 1, /mourner has no dead letter ABCD/);
  await ringmq().fails(
    ['dlq', 'resend', 'mourner', first],
    2,
    /1 dead letter of mourner will be sent once more: group mourner gets them again, and no other group/,
  );
  await ringmq().fails(['dlq', 'resend', 'mourner'], 2, /give the ids of dead letters, or --all/);

  const resend = async (...args: string[]) =>
    ((await ringmq().json(['dlq', 'resend', 'mourner', ...args, '--yes'])) as Outcome[]).map(
      ({ id, ok, skipped, topic }) => [id, ok, skipped, topic],
    );
  const retry = '%RETRY%mourner';
  assert.equal(await resend(first), [[first, true, false, retry]]);
  const [, ...others] = ids;
  const rest = others.map((id) => [id, true, false, retry]);
  assert.equal(await resend('--all'), [[first, true, true, retry], ...rest], 'the first was sent before');
  const consumer = new Consumer(java55, cluster(), { topic: 'deadly', group: 'mourner', from: 'first' });
  const other = new Consumer(java55, cluster(), { topic: 'deadly', group: 'bystander', from: 'first' });
  await consumer.count(3);
  assert.equal(consumer.delivered.map(({ msgId }) => msgId).sort(), [...ids].sort());
  assert.equal(
    [...new Set(consumer.delivered.map(({ topic }) => topic))],
    ['deadly'],
    'under the topic it came from',
  );
  assert.is(other.delivered.length, 0);

  assert.match(
    await ringmq().does(['dlq', 'resend', 'mourner', '--all', '--origin']),
    /left out: sent to %RETRY%mourner on \S+ before, at .*\n\nNothing was sent: 3 dead letters were sent before/,
    'nothing is left to ask about',
  );
  assert.equal(await resend(first, first, '--origin', '--again'), [[first, true, false, 'deadly']]);
  await consumer.count(4);
  await other.count(1);
  assert.is(other.delivered[0]?.msgId, first);
  await ringmq().fails(
    ['dlq', 'resend', 'mourner', ...ids, '--again'],
    2,
    /3 dead letters of mourner will be sent once more/,
  );
  assert.is(consumer.delivered.length, 4, 'nothing more than was said');
  await consumer.stop();
  await other.stop();
});

test('a resend that was killed goes on where it was', async () => {
  await consumed('halfway', 'halver', 3);
  const ids = await die('halfway', 'halver');
  await ringmq().lineCount(['dlq', 'list', 'halver', '--json'], 3);
  await ringmq().does(['dlq', 'resend', 'halver', ids[1] as string, '--yes']);
  const { code, out, err } = await ringmq().run(['dlq', 'resend', 'halver', '--all', '--yes']);
  assert.is(code, 0, err);
  assert.match(out, /\n\nSent 2 dead letters; 1 dead letter was sent before \(--again sends it anew\)\.\n$/);
  await ringmq().lineCount(['consume', '%RETRY%halver', '--since', 'earliest', '--until-end', '--json'], 3);
});

test('a group that pops gets its dead letters where it pops', async () => {
  await ringmq().topic('popped', '--queues', '1');
  await ringmq().does(['group', 'create', 'popper']);
  await ringmq().does(['produce', 'popped', '-m', 'body']);
  const popper = await Popper.open(cluster().broker, 'popper');
  const [message] = await popper.popAll('popped', 1, { invisibleTime: 1_000 });
  assert.is(message?.source, 'popped');
  const [again] = await popper.popAll('popped', 1, { invisibleTime: 600_000 });
  assert.match(again?.source ?? '', /^%RETRY%popper/, 'it comes again from the retry topic');
  const connection = await RawConnection.open(cluster().broker.address);
  const ext = {
    offset: Number(again?.physicalOffset),
    group: 'popper',
    delayLevel: DEAD,
    originMsgId: '',
    originTopic: 'popped',
  };
  assert.is((await connection.request({ code: CONSUMER_SEND_MSG_BACK, ext })).code, 0);
  connection.destroy();
  await ringmq().lineCount(['dlq', 'list', 'popper', '--json'], 1);
  assert.match(await ringmq().does(['dlq', 'list', 'popper']), / popped +\d /, 'the topic it was sent to');
  const [sent] = (await ringmq().json(['dlq', 'resend', 'popper', '--all', '--yes'])) as Outcome[];
  assert.equal([sent?.ok, sent?.topic], [true, '%RETRY%popper_popped']);
  const [back] = await popper.popAll('popped', 1, { invisibleTime: 600_000 });
  assert.is(Buffer.from(back?.body ?? '').toString(), 'body');
  const [later] = (await ringmq().json(['dlq', 'resend', 'popper', '--all', '--yes'])) as Outcome[];
  assert.is(later?.skipped, true);
  const { code, err } = await ringmq().run(['consume', 'popped', '-g', 'popper', '--until-end']);
  assert.is(code, 0);
  assert.match(
    err,
    /popper has popped from popped on \S+: what comes again of that lies in %RETRY%popper_popped/,
  );
  popper.connection.destroy();
});

test('topics that belong to a group are told from the group itself', async () => {
  await ringmq().topic('plain', '--queues', '1');
  await ringmq().does(['consume', 'plain', '-g', 'owner', '--until-end']);
  await ringmq().fails(['dlq', 'list', '%DLQ%owner'], 1, /no group %DLQ%owner: did you mean owner\?/);
  await ringmq().fails(['dlq', 'resend', '%DLQ%owner', '--all'], 1, /did you mean owner\?/);
  await ringmq().fails(['group', 'show', '%RETRY%owner'], 1, /did you mean owner\?/);
  const consume = (topic: string, group: string) => ['consume', topic, '-g', group, '--until-end'];
  await ringmq().fails(
    consume('plain', '%RETRY%owner'),
    2,
    /is the name of a topic: give the group itself, owner\./,
  );
  await ringmq().fails(consume('%RETRY%owner', 'owner'), 2, /it gets them beside those of each topic/);
  await ringmq().fails(consume('%DLQ%owner', 'owner'), 2, /"ringmq dlq resend owner" gives them to it again/);
});

test('dead letters of a group that consumes in order come back at once, and that is said', async () => {
  await ringmq().topic('ordered', '--queues', '1');
  const consumer = new Consumer(java55, cluster(), {
    topic: 'ordered',
    group: 'orderer',
    from: 'first',
    mode: 'orderly',
  });
  await consumer.holds(1);
  await ringmq().does(['produce', 'ordered', '-m', 'body', '--key', 'k']);
  await consumer.count(1);
  const [id = ''] = await die('ordered', 'orderer');
  await ringmq().lineCount(['dlq', 'list', 'orderer', '--json'], 1);
  const { code, out } = await ringmq().run(['dlq', 'resend', 'orderer', id, '--yes']);
  assert.is(code, 1);
  assert.match(
    out,
    /a dead letter again at once: the group consumes in order and has members online; --origin /,
  );
  const [again] = (await ringmq().json([
    'dlq',
    'resend',
    'orderer',
    id,
    '--origin',
    '--again',
    '--yes',
  ])) as Outcome[];
  assert.equal([again?.ok, again?.topic], [true, 'ordered']);
  await consumer.count(2);
  await consumer.stop();
});

test.run();
