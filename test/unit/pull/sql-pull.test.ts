/** Pulls with SQL filters: what they get, how far they get, and what is said to those that cannot have one. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeProperties } from '../../../src/record/properties.ts';
import { headFor } from '../../support/messages.ts';
import { bodiesOf, groupDelta, PullRig, pullFields } from '../../support/pull-rig.ts';

const test = suite('pulls with SQL filters');

const RETRY = 20;
const FOUND = 0;

function allowed(): PullRig {
  const rig = new PullRig();
  rig.view.apply({ ...rig.view.settings, enablePropertyFilter: true, writable: true, notWritableRemark: '' });
  return rig;
}

function put(rig: PullRig, body: string, properties: Record<string, string>): void {
  const text = encodeProperties(Object.entries(properties));
  rig.opened.store.append('T', headFor(0), Buffer.from(body), text);
}

function sql(subscription: string, more: Record<string, string> = {}): Record<string, string> {
  return pullFields({ sysFlag: '4', expressionType: 'SQL92', subscription, ...more });
}

test('the filter in the pull itself: what matches comes, and the offset goes past the rest', () => {
  const rig = allowed();
  for (let i = 0; i < 6; i++) put(rig, `m${i}`, i === 3 ? {} : { a: String(i) });
  rig.dispatch();
  const bodies = (expression: string) => {
    rig.pull(sql(expression));
    const [reply] = rig.client.replies();
    return [reply?.code, reply?.fields['nextBeginOffset'], bodiesOf(reply?.body)];
  };
  assert.equal(bodies('a BETWEEN 1 AND 4'), [FOUND, '7', ['m1', 'm2', 'm4']]);
  assert.equal(bodies('a IS NULL'), [FOUND, '7', ['first', 'm3']]);
  assert.equal(bodies("a = 'nothing'"), [RETRY, '7', []]);
});

test('the filter of the heartbeat, until another one is told', () => {
  const rig = allowed();
  put(rig, 'one', { a: '1' });
  put(rig, 'two', { a: '2' });
  rig.dispatch();
  const told = (subVersion: number, expressionType: string, expression: string) =>
    rig.view.apply({
      kind: 'consumers',
      group: 'g',
      messageModel: 'CLUSTERING',
      subscriptions: [{ topic: 'T', subVersion, expressionType, expression, codes: undefined }],
    });
  const pulled = (subVersion: number) => {
    rig.pull(pullFields({ sysFlag: '0', subVersion: String(subVersion), expressionType: 'SQL92' }));
    const [reply] = rig.client.replies();
    return [reply?.code, reply?.code === FOUND ? bodiesOf(reply.body) : reply?.remark];
  };
  told(1, 'SQL92', 'a = 1');
  assert.equal(pulled(1), [FOUND, ['one']]);
  assert.is(pulled(2)[0], 25, 'newer than what is known: nobody else would filter');
  told(2, 'SQL92', 'a = 2');
  assert.equal(pulled(2), [FOUND, ['two']]);
  told(3, 'SQL92', 'a ==');
  assert.is(pulled(3)[0], 27);
  assert.match(String(pulled(3)[1]), /line 1, column 4/);
  told(4, 'XPATH', 'a');
  assert.equal(pulled(4), [27, 'expressions of type XPATH are not known: there are TAG and SQL92']);
});

test('refused where it is not allowed, wrong, empty or too long', () => {
  const off = new PullRig();
  const refusal = (rig: PullRig, expression: string) => {
    rig.pull(sql(expression));
    const [answer] = rig.answers();
    return [answer?.[0], answer?.[2]] as const;
  };
  assert.match(String(refusal(off, 'a = 1')[1]), /set enablePropertyFilter=true/);
  const rig = allowed();
  for (const expression of ['a >', '', '  ', '('.repeat(4_000), `a = '${'x'.repeat(8_192)}'`])
    assert.is(refusal(rig, expression)[0], 23, expression.slice(0, 9));
  assert.match(String(refusal(rig, 'a > > 1')[1]), /line 1, column 5/);
});

test('a waiting pull is answered by a message that matches, and by no other', () => {
  const rig = allowed();
  rig.dispatch();
  rig.pull(sql('a > 1', { sysFlag: '6', queueOffset: '1' }));
  assert.equal(rig.answers(), []);
  put(rig, 'no', { a: '1' });
  rig.dispatch();
  assert.equal(rig.answers(), []);
  put(rig, 'yes', { a: '2' });
  rig.dispatch();
  const [reply] = rig.client.replies();
  assert.equal(bodiesOf(reply?.body), ['yes']);
});

test('long properties end a pull early, with progress', () => {
  const rig = allowed();
  const long = 'x'.repeat(30_000);
  for (let i = 0; i < 150; i++) put(rig, `m${i}`, { long });
  put(rig, 'wanted', { a: '1' });
  rig.dispatch();
  let offset = 0;
  let pulls = 0;
  for (; pulls < 100; pulls++) {
    rig.pull(sql('a = 1', { queueOffset: String(offset) }));
    const [reply] = rig.client.replies();
    const next = Number(reply?.fields['nextBeginOffset']);
    assert.ok(next > offset, 'progress');
    offset = next;
    if (reply?.code === FOUND) break;
    assert.is(reply?.code, RETRY);
  }
  assert.is(offset, 152);
  assert.ok(pulls >= 2, 'not all at once');
});

test('groups of their own keep their own filters', () => {
  const rig = allowed();
  rig.view.apply(groupDelta('h', { id: 2 }));
  put(rig, 'one', { a: '1' });
  rig.dispatch();
  for (const [consumerGroup, code] of [
    ['g', FOUND],
    ['h', RETRY],
  ] as const) {
    rig.pull(sql(consumerGroup === 'g' ? 'a = 1' : 'a = 2', { consumerGroup }));
    assert.is(rig.client.replies()[0]?.code, code);
  }
});

test.run();
