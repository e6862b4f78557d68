import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeHandle, encodeHandle } from '../../../src/delivery/timer/recall-handle.ts';
import { dueTimeOf, recallHandleOf, recallOf, timeProblem } from '../../../src/delivery/timer/rewrite.ts';
import { slotTimeOf } from '../../../src/delivery/timer/timer-layout.ts';
import { laterForm, sentSysFlag, waitingForm, waitingProblem } from '../../../src/delivery/waiting-form.ts';
import { HALF_TOPIC, SCHEDULE_TOPIC, TIMER_TOPIC } from '../../../src/lib/names.ts';
import { RULES } from '../../support/transaction-rig.ts';
import { message } from '../broker/support.ts';

const test = suite('forms in which messages wait');
const NOW = 1_700_000_000_500;

const withThese = (properties: Record<string, string>, reconsumeTimes = 0) =>
  message({ queueId: 1, reconsumeTimes, properties: new Map(Object.entries(properties)) });

test('half messages come before delays, delays before times', () => {
  const all = { TRAN_MSG: 'true', DELAY: '2', TIMER_DELAY_MS: '5000' };
  const cases: [Record<string, string>, number, string][] = [
    [all, 0, HALF_TOPIC],
    [all, 1, SCHEDULE_TOPIC],
    [{ TRAN_MSG: 'true', TIMER_DELAY_MS: '5000' }, 1, HALF_TOPIC],
    [{ DELAY: '2', TIMER_DELAY_MS: '5000' }, 0, SCHEDULE_TOPIC],
    [{ TIMER_DELAY_MS: '5000' }, 0, TIMER_TOPIC],
    [{ TIMER_DELIVER_MS: String(NOW) }, 0, 't'],
    [{}, 0, 't'],
  ];
  for (const [properties, times, topic] of cases) {
    const sent = withThese(properties, times);
    assert.is(waitingForm(sent, RULES, NOW).topic, topic, JSON.stringify(properties));
    assert.equal(Object.fromEntries(sent.properties), properties, 'the given one is not changed');
  }
  assert.is(laterForm(withThese(all), RULES, NOW).topic, SCHEDULE_TOPIC, 'what is committed is no half one');
});

test('what cannot be taken, and why', () => {
  const problem = (properties: Record<string, string>, rules = {}) =>
    waitingProblem(withThese(properties), { ...RULES, ...rules }, NOW)?.code;
  assert.is(problem({}), undefined);
  assert.is(problem({ TRAN_MSG: 'true' }), undefined);
  assert.is(problem({ TRAN_MSG: 'true' }, { rejectTransactionMessage: true }), 16);
  assert.is(problem({ TIMER_DELAY_MS: '10' }, { timerWheelEnable: false }), 1);
  assert.is(problem({ TIMER_DELAY_SEC: '3601' }), 13);
  assert.is(problem({ TIMER_DELAY_SEC: 'soon' }), 13);
  assert.is(problem({ TRAN_MSG: 'true', TIMER_DELAY_SEC: 'soon' }), 13, 'of half messages too');
  assert.is(problem({ DELAY: '1', TIMER_DELAY_SEC: 'soon' }), undefined, 'the level counts');
});

test('only TRAN_MSG makes a half message', () => {
  assert.equal([0, 1, 4, 8, 12, 0x1c].map(sentSysFlag), [0, 1, 0, 8, 0, 0x10]);
});

test('times: which property counts, and as what', () => {
  const due = (properties: Record<string, string>) => dueTimeOf(new Map(Object.entries(properties)), NOW);
  assert.is(due({}), undefined);
  assert.is(due({ TIMER_DELAY_SEC: '2', TIMER_DELAY_MS: '7', TIMER_DELIVER_MS: '9' }), NOW + 2_000);
  assert.is(due({ TIMER_DELAY_MS: '+7', TIMER_DELIVER_MS: '9' }), NOW + 7);
  assert.is(due({ TIMER_DELIVER_MS: '-9' }), -9);
  for (const text of ['', 'x', '1.5', '1e3', '0x10', ' 1', String(2n ** 63n)])
    assert.ok(Number.isNaN(due({ TIMER_DELAY_MS: text })), text);
});

test('times beyond the limit are refused, past ones are not', () => {
  const problem = (properties: Record<string, string>) =>
    timeProblem(new Map(Object.entries(properties)), RULES, NOW);
  assert.is(problem({ TIMER_DELAY_SEC: '3600' }), undefined);
  assert.match(problem({ TIMER_DELAY_SEC: '3601' }) ?? '', /max delay 3600000ms/);
  assert.is(problem({ TIMER_DELIVER_MS: '1' }), undefined);
  assert.match(problem({ TIMER_DELIVER_MS: '1', TIMER_DEL_UNIQKEY: 'k' }) ?? '', /del msg/);
  assert.match(problem({ TIMER_DELIVER_MS: String(2n ** 63n - 1n) }) ?? '', /illegal/);
});

test('a slot begins before the time, and a whole precision before at the earliest', () => {
  for (const [due, slot] of [
    [1_000, 0],
    [1_001, 1_000],
    [1_999, 1_000],
    [2_000, 1_000],
  ] as const)
    assert.is(slotTimeOf(due, 1_000), slot, String(due));
});

test('handles tell by what a message is recalled; what is none is found out', () => {
  const handle = encodeHandle({ topic: 't', brokerName: 'b', time: '12', messageId: 'ÿÿÿ>>>???' });
  assert.match(handle, /^[A-Za-z0-9_-]+={0,2}$/);
  assert.equal(decodeHandle(handle), { topic: 't', brokerName: 'b', time: '12', messageId: 'ÿÿÿ>>>???' });
  assert.equal(decodeHandle(handle.replaceAll('=', '')), decodeHandle(handle));
  const text = (words: string) => Buffer.from(words).toString('base64url');
  for (const wrong of ['', '%%', text('v2 t b 1 m'), text('v1 t b 1'), 'a b', `${handle}*`])
    assert.is(decodeHandle(wrong), undefined, wrong);
  assert.is(decodeHandle(text('v1 t b 1 m and more'))?.messageId, 'm');
});

test('a recall meets its message in the slot of the wheel', () => {
  const parked = waitingForm(withThese({ TIMER_DELAY_MS: '5000' }), RULES, NOW);
  const slot = parked.properties.get('TIMER_OUT_MS');
  const handle = decodeHandle(recallHandleOf('t', 'b', parked.properties, 'k'));
  const recall = recallOf({
    ...{
      topic: 't',
      time: handle?.time ?? '',
      uniqueKey: 'k',
      group: 'g',
      bornTimestamp: 1,
      precision: 1_000,
    },
  });
  assert.equal([recall.topic, recall.properties.get('TIMER_OUT_MS')], [TIMER_TOPIC, slot]);
  assert.equal([recall.properties.get('TIMER_DEL_UNIQKEY'), recall.properties.get('PGROUP')], ['k', 'g']);
});

test.run();
