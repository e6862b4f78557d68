/** Pulls: checks in RocketMQ's order, what each outcome answers, and parked pulls that complete exactly once. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ResponseCode } from '../../../src/protocol/codes.ts';
import { SERIALIZE_BINARY } from '../../../src/protocol/command.ts';
import { CUT_ALL, CUT_BLOCKED } from '../../../src/protocol/frame-cutter.ts';
import { COLD } from '../../../src/store/read/pull-reader.ts';
import { bodiesOf, groupDelta, MAY_WAIT, PullRig, pullFields } from '../../support/pull-rig.ts';

const test = suite('pull handler');
const NO_WAIT = { sysFlag: '4' };

test('found messages come as they lie in the log, in JSON and binary frames', () => {
  const rig = new PullRig();
  rig.put('second', 'A');
  rig.dispatch();
  for (const serializeType of [0, SERIALIZE_BINARY]) {
    rig.pull(pullFields(), { serializeType, opaque: 9 });
    const [reply] = rig.client.replies();
    assert.equal(
      { ...reply?.fields, code: reply?.code, remark: reply?.remark, opaque: reply?.opaque },
      {
        code: 0,
        remark: 'FOUND',
        opaque: 9,
        groupSysFlag: '0',
        topicSysFlag: '0',
        offsetDelta: '0',
        minOffset: '0',
        maxOffset: '2',
        nextBeginOffset: '2',
        suggestWhichBrokerId: '0',
      },
    );
    assert.equal(bodiesOf(reply?.body), ['first', 'second']);
  }
});

test('checks come in the order of RocketMQ, each with its code', () => {
  const rig = new PullRig();
  rig.dispatch();
  const refused = (fields: Record<string, string>, code: number, remark: RegExp) => {
    assert.is(rig.pull(fields), CUT_ALL);
    const [answer] = rig.answers();
    assert.is(answer?.[0], code, String(remark));
    assert.match(answer?.[2] ?? '', remark);
  };
  const { subVersion: _, ...noVersion } = pullFields();
  refused(noVersion, ResponseCode.SYSTEM_ERROR, /<subVersion> is null/);
  refused(pullFields({ queueOffset: 'x' }), ResponseCode.SYSTEM_ERROR, /<queueOffset> is null/);
  for (const offset of ['9'.repeat(20), '9'.repeat(400), '1e5']) {
    refused(pullFields({ queueOffset: offset }), ResponseCode.SYSTEM_ERROR, /<queueOffset> is null/);
    refused(pullFields({ commitOffset: offset }), ResponseCode.SYSTEM_ERROR, /<commitOffset> is null/);
  }
  refused(
    pullFields({ commitOffset: '9007199254740993' }),
    ResponseCode.SYSTEM_ERROR,
    /<commitOffset> is null/,
  );
  for (const name of ['queueId', 'maxMsgNums', 'sysFlag']) {
    const problem = new RegExp(`<${name}> is null`);
    refused(pullFields({ [name]: '2147483648' }), ResponseCode.SYSTEM_ERROR, problem);
  }
  rig.view.apply(groupDelta('off', { consumeEnable: false }));
  refused(
    pullFields({ consumerGroup: 'off', topic: 'none' }),
    ResponseCode.NO_PERMISSION,
    /group no permission/,
  );
  refused(pullFields({ topic: 'none' }), ResponseCode.TOPIC_NOT_EXIST, /topic\[none\] not exist/);
  refused(pullFields({ queueId: '2' }), ResponseCode.INVALID_PARAMETER, /queueId\[2\] is illegal/);
  refused(pullFields({ queueId: '-1' }), ResponseCode.INVALID_PARAMETER, /queueId\[-1\] is illegal/);
  refused(pullFields({ expressionType: 'SQL92' }), ResponseCode.SYSTEM_ERROR, /filter message by SQL92/);
  rig.view.apply(groupDelta('g', { forbidden: ['T'] }));
  refused(pullFields(), ResponseCode.NO_PERMISSION, /is forbidden for topic\[T\]/);
  rig.view.apply({ kind: 'forbidden', group: 'g', topic: 'T', forbidden: false });
  refused(pullFields({ queueId: '-1' }), ResponseCode.INVALID_PARAMETER, /queueId\[-1\] is illegal/);
  rig.view.apply({ kind: 'forbidden', group: 'g', topic: 'T', forbidden: true });
  rig.view.apply({ kind: 'forbidden', group: 'unknown', topic: 'T', forbidden: true });
  refused(pullFields(), ResponseCode.NO_PERMISSION, /is forbidden for topic\[T\]/);
  rig.view.apply({ ...rig.view.settings, brokerPermission: 2, writable: true, notWritableRemark: '' });
  refused(
    pullFields({ consumerGroup: 'unknown' }),
    ResponseCode.NO_PERMISSION,
    /pulling message is forbidden/,
  );
  assert.equal(rig.progress, []);
});

test('without text of its own a pull needs what its group has heartbeated', () => {
  const rig = new PullRig();
  rig.put('b', 'B');
  rig.dispatch();
  const byGroup = pullFields({ sysFlag: '2', subVersion: '5' });
  const refused = (code: number) => {
    rig.pull(byGroup);
    assert.is(rig.answers()[0]?.[0], code);
  };
  refused(ResponseCode.SUBSCRIPTION_NOT_EXIST);
  const consumers = (subVersion: number, topic: string, codes: number[] | undefined) =>
    rig.view.apply({
      kind: 'consumers',
      group: 'g',
      messageModel: 'CLUSTERING',
      subscriptions: [{ topic, subVersion, expressionType: 'TAG', codes }],
    });
  consumers(5, 'other', undefined);
  refused(ResponseCode.SUBSCRIPTION_NOT_EXIST);
  consumers(5, 'T', [66]); // Java hash of "B"
  rig.pull(byGroup);
  assert.equal(bodiesOf(rig.client.replies()[0]?.body), ['b']);
});

test('a pull that knows of newer tags than the last heartbeat gets everything, as its client compares them itself', () => {
  const rig = new PullRig();
  for (const tag of ['A', 'B']) rig.put(tag, tag);
  rig.dispatch();
  const heartbeat = (subVersion: number, expressionType = 'TAG') =>
    rig.view.apply({
      kind: 'consumers',
      group: 'g',
      messageModel: 'CLUSTERING',
      subscriptions: [{ topic: 'T', subVersion, expressionType, codes: [66] }],
    });
  const pulled = (more: Record<string, string> = {}) => {
    rig.pull(pullFields({ sysFlag: '2', subVersion: '5', ...more }));
    const [reply] = rig.client.replies();
    return [reply?.code, bodiesOf(reply?.body)];
  };
  heartbeat(4);
  assert.equal(pulled(), [ResponseCode.SUCCESS, ['first', 'A', 'B']]);
  assert.equal(pulled({ expressionType: 'TAG' }), [ResponseCode.SUCCESS, ['first', 'A', 'B']]);
  assert.equal(pulled({ subVersion: '4' }), [ResponseCode.SUCCESS, ['B']]);
  assert.equal(pulled({ expressionType: 'SQL92' }), [ResponseCode.SUBSCRIPTION_NOT_LATEST, []]);
  heartbeat(4, 'SQL92');
  assert.equal(pulled(), [ResponseCode.SUCCESS, ['first', 'A', 'B']]);
  heartbeat(5);
  assert.equal(pulled(), [ResponseCode.SUCCESS, ['B']]);
});

test('a group that this thread does not know is asked for', () => {
  const rig = new PullRig();
  rig.pull(pullFields({ consumerGroup: 'fresh' }));
  assert.equal(rig.awaited, ['fresh']);
});

test('codes and next offsets of pulls that may not wait', () => {
  const rig = new PullRig();
  const ask = (offset: number, more: Record<string, string> = {}) => {
    rig.pull(pullFields({ ...NO_WAIT, queueOffset: String(offset), ...more }));
    return rig.answers()[0];
  };
  assert.equal(ask(0), [ResponseCode.PULL_NOT_FOUND, 0, 'NO_MESSAGE_IN_QUEUE']);
  assert.equal(ask(5), [ResponseCode.PULL_OFFSET_MOVED, 0, 'NO_MESSAGE_IN_QUEUE']);
  for (let i = 0; i < 3; i++) rig.put('x', 'A');
  rig.dispatch();
  assert.equal(ask(4), [ResponseCode.PULL_NOT_FOUND, 4, 'OFFSET_OVERFLOW_ONE']);
  assert.equal(ask(5), [ResponseCode.PULL_OFFSET_MOVED, 4, 'OFFSET_OVERFLOW_BADLY']);
  assert.equal(ask(1, { subscription: 'B' }), [ResponseCode.PULL_RETRY_IMMEDIATELY, 4, 'NO_MATCHED_MESSAGE']);
  rig.directory.setMinimum(rig.id(), 2);
  assert.equal(ask(1), [ResponseCode.PULL_OFFSET_MOVED, 2, 'OFFSET_TOO_SMALL']);
  assert.equal(ask(2, { maxMsgNums: '1' }), [ResponseCode.SUCCESS, 3, 'FOUND']);
});

test('how far the consumer is goes to control, and a full ring blocks the pull unanswered', () => {
  const rig = new PullRig();
  rig.dispatch();
  rig.pull(pullFields({ sysFlag: String(MAY_WAIT | 1), commitOffset: '1' }));
  rig.pull(pullFields({ commitOffset: '1' }));
  assert.equal(rig.progress, [
    ['g', rig.id(), 1, 1],
    ['g', rig.id(), -1, 1],
  ]);
  rig.client.replies();
  rig.progressFits = false;
  assert.is(rig.pull(), CUT_BLOCKED);
  assert.equal(rig.answers(), []);
});

test('a broker that takes no messages serves pulls', () => {
  const rig = new PullRig();
  rig.dispatch();
  rig.view.apply({
    ...rig.view.settings,
    brokerPermission: 6,
    writable: false,
    notWritableRemark: 'disk full',
  });
  rig.pull();
  assert.equal(rig.answers(), [[ResponseCode.SUCCESS, 1, 'FOUND']]);
});

test('a parked pull is answered by the next message, once', () => {
  const rig = new PullRig();
  rig.dispatch();
  rig.pull(pullFields({ queueOffset: '1' }));
  assert.equal(rig.answers(), []);
  rig.put();
  rig.dispatch();
  assert.equal(rig.answers(), [[0, 2, 'FOUND']]);
  rig.put();
  rig.dispatch();
  rig.now += 60_000;
  rig.handler.expire();
  assert.equal([rig.answers(), rig.hold.size], [[], 0]);
});

test('a parked pull is answered at its deadline, once, and not before', () => {
  const rig = new PullRig();
  rig.dispatch();
  rig.pull(pullFields({ queueOffset: '1' }));
  rig.now += 14_999;
  rig.handler.expire();
  assert.equal(rig.answers(), []);
  rig.now += 1;
  rig.handler.expire();
  assert.equal(rig.answers(), [[ResponseCode.PULL_NOT_FOUND, 1, 'OFFSET_OVERFLOW_ONE']]);
  rig.put();
  rig.dispatch();
  assert.equal(rig.answers(), []);
});

test('a pull that is looked at after its deadline is answered, although nothing has come for it', () => {
  const rig = new PullRig();
  rig.dispatch();
  rig.pull(pullFields({ queueOffset: '1' }));
  rig.now += 20_000;
  rig.handler.arrived(rig.id());
  rig.handler.serve();
  assert.is(rig.hold.size, 0);
  assert.equal(rig.answers(), [[ResponseCode.PULL_NOT_FOUND, 1, 'OFFSET_OVERFLOW_ONE']]);
});

test('a closed connection drops its pulls; one that closes while a pull runs is not written to', () => {
  const rig = new PullRig();
  rig.dispatch();
  rig.pull(pullFields({ queueOffset: '1' }));
  rig.hold.drop(3, 8);
  assert.is(rig.hold.size, 1, 'of another generation');
  rig.hold.drop(3, 7);
  assert.is(rig.hold.size, 0);
  rig.pull(pullFields({ queueOffset: '1' }));
  rig.connected = false;
  rig.put();
  rig.dispatch();
  assert.equal([rig.answers(), rig.hold.size], [[], 0]);
});

test('messages that the filter refuses leave the pull parked and are looked at once', () => {
  const rig = new PullRig();
  rig.dispatch();
  rig.pull(pullFields({ queueOffset: '1', subscription: 'A || C' }));
  for (let i = 0; i < 3; i++) {
    rig.put('no', 'B');
    rig.dispatch();
    assert.equal([rig.answers(), rig.hold.size], [[], 1]);
  }
  rig.hold.wakeAll();
  const parked = rig.hold.next();
  assert.is(parked?.scanFrom, 4);
  if (parked !== undefined) rig.hold.park(parked);
  rig.now += 60_000;
  rig.handler.expire();
  assert.equal(rig.answers(), [[ResponseCode.PULL_RETRY_IMMEDIATELY, 4, 'OFFSET_OVERFLOW_ONE']]);
});

test('pulls of a queue of its own are woken, others sleep on', () => {
  const rig = new PullRig();
  rig.dispatch();
  rig.pull(pullFields({ queueOffset: '1', queueId: '0' }), { opaque: 1 });
  rig.pull(pullFields({ queueOffset: '1', queueId: '1' }), { opaque: 2 });
  rig.put('x', '', 1);
  rig.dispatch();
  assert.equal(
    rig.client.replies().map(({ opaque }) => opaque),
    [2],
  );
  assert.is(rig.hold.size, 1);
});

test('an operator’s reset is handed out once, whatever the pull asks for', () => {
  const rig = new PullRig();
  rig.dispatch();
  rig.view.apply({ kind: 'reset', group: 'g', topic: 'T', queueId: 0, offset: 0 });
  rig.pull(pullFields({ queueOffset: '1' }));
  assert.equal(rig.answers()[0]?.slice(0, 2), [ResponseCode.PULL_OFFSET_MOVED, 0]);
  assert.equal(rig.resetsTaken, ['g/T/0']);
  rig.pull(pullFields({ queueOffset: '1' }));
  assert.is(rig.hold.size, 1, 'the next pull is a plain one');
});

test('a queue whose entries cannot be read parks the pull until its deadline', () => {
  const rig = new PullRig();
  rig.dispatch();
  rig.directory.setMaximum(rig.id(), 1000); // entries that no file holds
  rig.pull(pullFields({ queueOffset: '500' }));
  assert.equal([rig.answers(), rig.hold.size], [[], 1]);
  rig.now += 60_000;
  rig.handler.expire();
  assert.is(rig.answers()[0]?.[0], ResponseCode.PULL_NOT_FOUND);
});

test('an offset past 2^53 lies past the end of the queue like any other', () => {
  const rig = new PullRig();
  rig.dispatch();
  for (const queueOffset of ['1000', '9007199254740993', '9223372036854775807']) {
    rig.pull(pullFields({ ...NO_WAIT, queueOffset }));
    const [answer] = rig.answers();
    assert.equal(
      [answer?.[0], answer?.[2]],
      [ResponseCode.PULL_OFFSET_MOVED, 'OFFSET_OVERFLOW_BADLY'],
      queueOffset,
    );
  }
});

test('a wait of any length ends after two minutes', () => {
  const rig = new PullRig();
  rig.dispatch();
  for (const suspendTimeoutMillis of ['9000000000000000', '9223372036854775807', '120001']) {
    rig.pull(pullFields({ queueOffset: '1', suspendTimeoutMillis }));
    assert.is(rig.hold.size, 1);
    rig.now += 119_000;
    rig.handler.expire();
    assert.is(rig.hold.size, 1, suspendTimeoutMillis);
    rig.now += 1_128;
    rig.handler.expire();
    assert.is(rig.hold.size, 0, suspendTimeoutMillis);
    assert.is(rig.client.replies()[0]?.code, ResponseCode.PULL_NOT_FOUND);
  }
});

test('expressions are bounded in length and tags, and refused by the name of the limit', () => {
  const rig = new PullRig();
  rig.dispatch();
  const codeOf = (subscription: string, more = {}) => {
    rig.pull(pullFields({ ...NO_WAIT, subscription, ...more }));
    return rig.client.replies()[0];
  };
  const tags = (count: number) => Array.from({ length: count }, (_, i) => `t${i}`).join('||');
  assert.is(codeOf(tags(512))?.code, ResponseCode.PULL_RETRY_IMMEDIATELY);
  for (let i = 0; i < 2; i++) {
    assert.is(codeOf(tags(513))?.code, ResponseCode.SUBSCRIPTION_PARSE_FAILED);
    assert.match(codeOf(tags(513))?.remark ?? '', /limit MAX_TAGS/);
  }
  assert.match(codeOf('x'.repeat(8193))?.remark ?? '', /more than 8192 \(limit MAX_EXPRESSION\)/);
  const odd = codeOf('*', { expressionType: 'S'.repeat(100_000) });
  assert.is(odd?.code, ResponseCode.SYSTEM_ERROR);
  assert.ok((odd?.remark ?? '').length < 300);
});

/** The next read finds that its messages are on the disk only. */
function nextIsCold(rig: PullRig): void {
  const reader = rig.opened.store.pull;
  const read = reader.read.bind(reader);
  reader.read = () => {
    reader.read = read;
    [reader.status, reader.coldFrom, reader.coldLength] = [COLD, 7, 100];
  };
}

test('who has had enough from the disk is refused, and what is fetched is told', async () => {
  const rig = new PullRig();
  rig.dispatch();
  rig.opened.store.pull.warm = async () => {};
  const codes = async () => {
    nextIsCold(rig);
    rig.pull(pullFields(NO_WAIT));
    await new Promise((resolve) => setImmediate(resolve));
    return rig.client.replies().map(({ code }) => code);
  };
  const watch = (coldReads: object) =>
    rig.view.apply({
      ...rig.view.settings,
      coldReads: { watched: true, all: false, groups: [], ...coldReads },
    });
  assert.equal([await codes(), rig.coldReads], [[0], []]);
  watch({});
  assert.equal(await codes(), [0]);
  const { totalBytes } = rig.opened.store.pull;
  assert.equal(rig.coldReads, [['g', totalBytes]]);
  for (const refused of [{ groups: ['g'] }, { all: true }]) {
    watch(refused);
    assert.equal(await codes(), [ResponseCode.SYSTEM_BUSY]);
  }
  for (const served of [{ groups: ['other'] }, { all: true, groups: ['g'], watched: false }]) {
    watch(served);
    assert.equal(await codes(), [0]);
  }
  watch({ groups: ['g'] });
  const reader = rig.opened.store.pull;
  reader.read = Object.getPrototypeOf(reader).read;
  rig.pull(pullFields(NO_WAIT));
  assert.is(rig.client.replies()[0]?.code, 0, 'what is in memory is no matter');
});

test('what is fetched from the disk comes with what follows it as the settings say', async () => {
  const rig = new PullRig();
  rig.dispatch();
  const reader = rig.opened.store.pull;
  const fetched: [from: number, length: number, ahead: boolean][] = [];
  reader.warm = async (...asked) => void fetched.push(asked);
  for (const readAhead of [true, false]) {
    rig.view.apply({ ...rig.view.settings, readAhead });
    nextIsCold(rig);
    rig.pull(pullFields(NO_WAIT));
    assert.is(rig.client.replies().length, 0);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(
      rig.client.replies().map(({ code }) => code),
      [0],
    );
  }
  assert.equal(fetched, [
    [7, 100, true],
    [7, 100, false],
  ]);
});

test('calls are counted: at once, after a wait, and refused', () => {
  const rig = new PullRig();
  rig.dispatch();
  rig.pull(pullFields());
  rig.pull(pullFields({ queueOffset: '1' }));
  assert.equal(rig.counted.all, [['PULL_MESSAGE', 'SUCCESS', 'at once', 1, 0]]);
  rig.now += 40;
  rig.put();
  rig.dispatch();
  rig.pull(pullFields({ topic: 'none' }));
  assert.equal(rig.counted.all, [
    ['PULL_MESSAGE', 'SUCCESS', 'at once', 1, 0],
    ['PULL_MESSAGE', 'SUCCESS', 'long polling', 1, 40],
    ['PULL_MESSAGE', 'TOPIC_NOT_EXIST', 'at once', 1, 0],
  ]);
});

test.run();
