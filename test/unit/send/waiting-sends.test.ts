/** Sends that wait before they are delivered: delayed, timed and half messages. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HALF_TOPIC, SCHEDULE_TOPIC } from '../../../src/lib/names.ts';
import { RequestCode, ResponseCode } from '../../../src/protocol/codes.ts';
import { CUT_ALL } from '../../../src/protocol/frame-cutter.ts';
import { decodeRecord } from '../../../src/record/decode.ts';
import { batchItem, propertiesOf, refusal, SendRig, sendFields, topicDelta } from '../../support/send-rig.ts';

const test = suite('sends that wait');

/** A rig that knows the schedule topic: its queues have ids from 10 on. */
function delayRig(): SendRig {
  const rig = new SendRig();
  const queues = Array.from({ length: 18 }, (_, level) => 10 + level);
  rig.view.apply(topicDelta(SCHEDULE_TOPIC, { queues, readQueueNums: 18, writeQueueNums: 18 }));
  return rig;
}

test('sends to retry topics go to control whole, and leave the ring as it was; to system topics none may send', () => {
  const rig = delayRig();
  rig.view.apply(topicDelta('%RETRY%g', { queues: [9] }));
  assert.is(rig.send({ fields: sendFields({ b: '%RETRY%g' }) }), CUT_ALL);
  assert.is(rig.forwarded.length, 1);
  assert.equal([rig.write(), rig.sends.size, rig.client.replies().length], [0, 0, 0]);
  rig.send({ fields: sendFields({ b: SCHEDULE_TOPIC }) });
  assert.equal(refusal(rig), [
    ResponseCode.NO_PERMISSION,
    `Sending message to topic[${SCHEDULE_TOPIC}] is forbidden.`,
  ]);
  // What is checked of any send is checked of these before.
  const batch = { code: RequestCode.SEND_BATCH_MESSAGE, body: batchItem('b', '') };
  rig.send({ fields: sendFields({ b: '%RETRY%g' }), ...batch });
  assert.equal(refusal(rig)[0], ResponseCode.MESSAGE_ILLEGAL);
  rig.send({ fields: sendFields({ b: '%RETRY%g' }), body: new Uint8Array(0) });
  assert.equal(refusal(rig)[0], ResponseCode.MESSAGE_ILLEGAL);
  rig.view.apply({ ...rig.view.settings, brokerPermission: 6, writable: false, notWritableRemark: 'full' });
  rig.send({ fields: sendFields({ b: '%RETRY%g' }) });
  assert.equal(refusal(rig), [ResponseCode.SERVICE_NOT_AVAILABLE, 'full']);
  assert.is(rig.forwarded.length, 1);
});

test('a delayed send is parked in its turn, and answered with the queue that it was sent to', () => {
  const rig = delayRig();
  rig.send({ opaque: 1, fields: sendFields() });
  const properties =
    'TAGS\x01A\x02DELAY\x013\x02TIMER_DELAY_SEC\x017\x02WAIT\x01false\x02CLUSTER\x01other\x02';
  rig.send({ opaque: 2, fields: sendFields({ e: '2', h: '5', i: properties, j: '1' }) });
  rig.send({ opaque: 3, fields: sendFields() });
  assert.is(rig.write(), 3);
  assert.equal(
    rig
      .drain()
      .map(({ opaque, code, fields }) => [opaque, code, fields['queueId'], fields['queueOffset']])
      .sort(),
    [
      [1, 0, '0', '0'],
      [2, 0, '2', '0'],
      [3, 0, '0', '1'],
    ],
  );
  const parked = decodeRecord(rig.record(rig.record(0).length));
  assert.equal(
    [
      parked?.topic,
      parked?.queueId,
      parked?.flag,
      parked?.reconsumeTimes,
      Buffer.from(parked?.body ?? []).toString(),
    ],
    [SCHEDULE_TOPIC, 2, 5, 1, 'hello'],
  );
  assert.equal(
    [...(parked?.properties ?? [])],
    [
      ['TAGS', 'A'],
      ['DELAY', '3'],
      ['WAIT', 'false'],
      ['CLUSTER', 'DefaultCluster'],
      ['UNIQ_KEY', '0A00000900000000000000000000ABCD'],
      ['MSG_REGION', 'DefaultRegion'],
      ['TRACE_ON', 'true'],
      ['REAL_TOPIC', 'T'],
      ['REAL_QID', '2'],
    ],
  );
});

test('a DELAY as RocketMQ reads it: signs, zeros, nothing, more than there are', () => {
  for (const [level, parked] of [
    ['3', 2],
    ['+3', 2],
    ['003', 2],
    ['2147483647', 17],
    ['', undefined],
    ['0', undefined],
    ['-0', undefined],
    ['-5', undefined],
  ] as const) {
    const rig = delayRig();
    rig.send({ fields: sendFields({ i: `DELAY\x01${level}\x02` }) });
    rig.write();
    assert.equal([rig.drain()[0]?.code, rig.forwarded.length], [0, 0], level);
    const { topic, queueId } = decodeRecord(rig.record(0)) ?? {};
    assert.equal([topic, queueId], parked === undefined ? ['T', 0] : [SCHEDULE_TOPIC, parked], level);
  }
  // What the system flag says of a transaction does not matter, and half messages are delayed by their commit.
  for (const more of [{ f: '4' }, { f: '8' }, { f: '12' }, { i: 'DELAY\x01x\x02TRAN_MSG\x01true\x02' }]) {
    const rig = delayRig();
    rig.send({ fields: sendFields({ i: 'DELAY\x01x\x02', ...more }) });
    rig.write();
    assert.is(rig.drain()[0]?.code, 1, JSON.stringify(more));
  }
});

test('a DELAY that is no level is refused with its name and what is allowed, and nothing is stored', () => {
  const rig = delayRig();
  const long = 'y'.repeat(30_000);
  for (const level of ['x', '1.5', ' 3', '3 ', '0x3', '1e1', '-', '2147483648', '-2147483649', long]) {
    rig.send({ fields: sendFields({ i: `DELAY\x01${level}\x02` }) });
    const [code, remark = ''] = refusal(rig);
    assert.is(code, ResponseCode.SYSTEM_ERROR, level);
    assert.match(remark, 'DELAY=');
    assert.match(remark, '1 to 18 for the levels of messageDelayLevel');
    assert.ok(remark.length < 300);
  }
  assert.equal([rig.write(), rig.sends.size], [0, 0]);
  rig.send({ fields: sendFields() });
  rig.write();
  assert.is(rig.record(0).length, rig.log.position, 'nothing lies before the first record');
});

test('a half message is the same record whether its flag says so or only its property', () => {
  const key = 'K'.repeat(32);
  const text = `KEYS\x01k\x02TRAN_MSG\x01TRUE\x02PGROUP\x01g\x02UNIQ_KEY\x01${key}\x02`;
  const records = ['4', '0', '12'].map((f) => {
    const rig = delayRig();
    rig.view.apply(topicDelta(HALF_TOPIC, { queues: [20], readQueueNums: 1, writeQueueNums: 1 }));
    assert.is(rig.send({ fields: sendFields({ i: text, f, e: '3' }) }), CUT_ALL);
    assert.is(rig.write(), 1);
    const [reply] = rig.drain();
    assert.equal([reply?.code, reply?.fields['queueId'], reply?.fields['transactionId']], [0, '3', key]);
    return decodeRecord(rig.record(0));
  });
  for (const record of records) {
    assert.equal([record?.topic, record?.queueId, (record?.sysFlag ?? -1) & 0xc], [HALF_TOPIC, 0, 0]);
    const { REAL_TOPIC, REAL_QID, __transactionId__, ...others } = Object.fromEntries(
      record?.properties ?? [],
    );
    assert.equal([REAL_TOPIC, REAL_QID, __transactionId__], ['T', '3', key]);
    assert.equal(others, {
      ...{ KEYS: 'k', TRAN_MSG: 'TRUE', PGROUP: 'g', UNIQ_KEY: key },
      ...{ MSG_REGION: 'DefaultRegion', TRACE_ON: 'true', CLUSTER: 'DefaultCluster' },
    });
  }
});

test('a flag of a prepared message without the property, and what a client says of checks, count for nothing', () => {
  const rig = delayRig();
  rig.view.apply(topicDelta(HALF_TOPIC, { queues: [20], readQueueNums: 1, writeQueueNums: 1 }));
  const said = 'TRANSACTION_CHECK_TIMES\x0115\x02TRAN_PREPARED_QUEUE_OFFSET\x017\x02';
  for (const i of ['KEYS\x01k\x02', 'TRAN_MSG\x01yes\x02', `TRAN_MSG\x01true\x02${said}UNIQ_KEY\x01K\x02`])
    rig.send({ fields: sendFields({ i, f: '4' }) });
  assert.is(rig.write(), 3);
  const records: ReturnType<typeof decodeRecord>[] = [];
  for (let at = 0; at < rig.log.position; at += rig.record(at).length)
    records.push(decodeRecord(rig.record(at)));
  const [plain, other, half] = records;
  assert.equal([plain?.topic, plain?.sysFlag, other?.topic, other?.sysFlag], ['T', 0, 'T', 0]);
  assert.is(half?.topic, HALF_TOPIC);
  assert.not.ok(half?.properties.has('TRANSACTION_CHECK_TIMES'));
  assert.not.ok(half?.properties.has('TRAN_PREPARED_QUEUE_OFFSET'));
});

test('sends of a known layout make the same records as the first of them, level by level', () => {
  const rig = delayRig();
  const key = 'K'.repeat(32);
  const levels = ['13', '13', '14', '18', '19', '00', '01', '+3', '99', '13'];
  const queues = [12, 12, 13, 17, 17, 0, 0, 2, 17, 12];
  for (const level of levels) {
    const i = `KEYS\x01k\x02DELAY\x01${level}\x02UNIQ_KEY\x01${key}\x02WAIT\x01true\x02`;
    assert.is(rig.send({ fields: sendFields({ i, e: '2' }) }), CUT_ALL);
  }
  assert.is(rig.write(), levels.length);
  const replies = rig.drain();
  let at = 0;
  for (const [n, level] of levels.entries()) {
    const record = decodeRecord(rig.record(at));
    at += rig.record(at).length;
    const isDelayed = level !== '00';
    assert.equal([record?.topic, record?.queueId], isDelayed ? [SCHEDULE_TOPIC, queues[n]] : ['T', 2], level);
    assert.is(replies[n]?.fields['queueId'], '2');
    const { REAL_TOPIC, REAL_QID, DELAY, ...others } = Object.fromEntries(record?.properties ?? []);
    assert.equal([REAL_TOPIC, REAL_QID], isDelayed ? ['T', '2'] : [undefined, undefined]);
    assert.is(Number(DELAY), isDelayed ? Number(queues[n]) + 1 : 0);
    assert.equal(others, {
      ...{ KEYS: 'k', UNIQ_KEY: key, WAIT: 'true' },
      ...{ MSG_REGION: 'DefaultRegion', TRACE_ON: 'true', CLUSTER: 'DefaultCluster' },
    });
  }
});

test('transactions and timers can be switched off', () => {
  const rig = delayRig();
  const { settings } = rig.view;
  const waiting = { ...settings.waiting, rejectTransactionMessage: true, timerWheelEnable: false };
  rig.view.apply({ ...settings, waiting: { ...waiting, brokerIp: '10.0.0.9' } });
  rig.send({ fields: sendFields({ i: 'TRAN_MSG\x01true\x02' }) });
  const remark = 'the broker[10.0.0.9] sending transaction message is forbidden';
  assert.equal(refusal(rig), [ResponseCode.NO_PERMISSION, remark]);
  rig.send({ fields: sendFields({ i: 'TIMER_DELAY_MS\x015\x02' }) });
  assert.is(refusal(rig)[0], ResponseCode.SYSTEM_ERROR);
  assert.is(rig.write(), 0);
});

test('properties that only brokers set are not taken over', () => {
  const rig = delayRig();
  rig.send({ fields: sendFields({ i: `DELAY\x013\x02a\x01${'v'.repeat(32_700)}\x02` }) });
  assert.is(refusal(rig)[0], ResponseCode.MESSAGE_ILLEGAL);
  assert.is(rig.write(), 0);
  rig.send({ fields: sendFields({ i: 'MSG_REGION\x01elsewhere\x02UNIQ_KEY\x01K\x02' }) });
  rig.write();
  assert.is(
    propertiesOf(rig.record(0)),
    'MSG_REGION\x01DefaultRegion\x02UNIQ_KEY\x01K\x02TRACE_ON\x01true\x02CLUSTER\x01DefaultCluster\x02',
  );
});

test.run();
