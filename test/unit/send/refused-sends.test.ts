/** Sends that were refused: counted by reason where it happens, told a bounded number of times, none forgotten. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RefusalCounts, type RefusedSend, RefusedSends } from '../../../src/broker/send/refused-sends.ts';
import { ResponseCode } from '../../../src/protocol/codes.ts';
import { NO_ROOM_REMARK } from '../../../src/store/put/append-failure.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { FakeTime } from '../metadata/support.ts';

const test = suite('refused sends');

const CLIENT = '10.0.0.1:5000';

const refusal = (changes: Partial<RefusedSend> = {}): RefusedSend => ({
  reason: 'topicUnknown',
  count: 1,
  client: CLIENT,
  topic: 'orders',
  remark: 'topic[orders] not exist',
  ...changes,
});

function rig() {
  const { log, lines } = recordingLog();
  const time = new FakeTime();
  return { lines, time, refused: new RefusedSends(log, time, time) };
}

test('a thread counts by reason, and keeps the first of each as an example', () => {
  const counts = new RefusalCounts();
  assert.equal(counts.take(), []);
  let asked = 0;
  const topic = (name: string) => () => {
    asked += 1;
    return name;
  };
  for (let i = 0; i < 1000; i++) {
    counts.note(ResponseCode.TOPIC_NOT_EXIST, `no ${i}`, CLIENT, topic(`t${i}`));
    counts.note(ResponseCode.SYSTEM_ERROR, NO_ROOM_REMARK, CLIENT, topic(''));
  }
  counts.note(ResponseCode.SERVICE_NOT_AVAILABLE, 'The disk of the store is 95 % full', CLIENT, topic('x'));
  const told = counts.take();
  assert.equal(
    told.map(({ reason, count, topic }) => [reason, count, topic]),
    [
      ['topicUnknown', 1000, 't0'],
      ['noRoom', 1000, ''],
      ['notWritable', 1, 'x'],
    ],
  );
  assert.is(asked, 3, 'only the example costs the text');
  assert.equal(counts.take(), []);
});

test('what a client sent does not make the example long', () => {
  const counts = new RefusalCounts();
  const long = 'x'.repeat(100_000);
  counts.note(1, long, CLIENT, () => long);
  assert.ok(JSON.stringify(counts.take()).length < 1_000);
});

test('every response code of a refusal has a reason', () => {
  const reason = (code: number) => {
    const counts = new RefusalCounts();
    counts.note(code, '', CLIENT, () => '');
    return counts.take()[0]?.reason;
  };
  assert.equal(
    [
      ResponseCode.SYSTEM_BUSY,
      ResponseCode.NO_PERMISSION,
      ResponseCode.MESSAGE_ILLEGAL,
      ResponseCode.INVALID_PARAMETER,
      ResponseCode.SYSTEM_ERROR,
    ].map(reason),
    ['busy', 'permission', 'illegal', 'illegal', 'other'],
  );
});

test('the first is told at once, those of the next second in one line with their number', async () => {
  const { lines, time, refused } = rig();
  refused.add(refusal());
  assert.equal(lines.splice(0), [
    {
      level: 'warn',
      message: 'sends refused: there is no such topic, and it may not be made',
      fields: {
        reason: 'topicUnknown',
        count: 1,
        topic: 'orders',
        client: CLIENT,
        remark: 'topic[orders] not exist',
      },
    },
  ]);
  for (let i = 0; i < 4; i++) {
    refused.add(refusal({ count: 100 }));
    await time.advance(200);
  }
  assert.is(lines.length, 0);
  await time.advance(200);
  assert.equal(
    lines.map(({ fields }) => fields['count']),
    [400],
  );
});

test('reasons do not wait for each other, and what the operator has to mend is an error', () => {
  const { lines, refused } = rig();
  for (const reason of ['noRoom', 'notWritable', 'busy', 'permission', 'illegal', 'other'] as const) {
    refused.add(refusal({ reason, topic: '' }));
  }
  assert.equal(
    lines.map(({ level }) => level),
    ['error', 'error', 'warn', 'warn', 'warn', 'warn'],
  );
  assert.match(lines[0]?.message ?? '', /no room on the disk for the next messages/);
  assert.not.ok('topic' in (lines[0]?.fields ?? {}));
});

test('for as long as it goes on the lines become fewer, to one a minute, and no send is left out', async () => {
  const { lines, time, refused } = rig();
  let sent = 0;
  for (let second = 0; second < 1200; second++) {
    for (let i = 0; i < 4; i++) {
      refused.add(refusal({ count: 5 }));
      sent += 5;
      await time.advance(250);
    }
  }
  refused.flush();
  assert.ok(lines.length <= 30, `${lines.length} lines`);
  const told = lines.reduce((sum, { fields }) => sum + Number(fields['count']), 0);
  assert.is(told, sent);
  lines.splice(0);
  await time.advance(600_000);
  assert.is(lines.length, 0);
  refused.add(refusal());
  assert.is(lines.length, 1, 'after a rest it is told at once again');
  await time.advance(400);
  refused.add(refusal());
  await time.advance(600);
  assert.is(lines.length, 2, 'and after a second');
});

test.run();
