/** Where consumers are sent: to a slave when they read what is no longer in memory, and back to the master. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nextBroker } from '../../../src/broker/pull/next-broker.ts';
import type { Elsewhere } from '../../../src/broker/view/deltas.ts';
import { ResponseCode } from '../../../src/protocol/codes.ts';
import { bodiesOf, groupDelta, MAY_WAIT, PullRig, pullFields } from '../../support/pull-rig.ts';

const test = suite('next broker');
const GROUP = { brokerId: 3, whichBrokerWhenConsumeSlowly: 7 };
const NO_WAIT = String(MAY_WAIT & ~2);

function rigWhere(elsewhere: Partial<Elsewhere>): PullRig {
  const rig = new PullRig();
  rig.dispatch();
  rig.view.apply(groupDelta('g', GROUP));
  const { settings } = rig.view;
  rig.view.apply({ ...settings, elsewhere: { ...settings.elsewhere, ...elsewhere } });
  return rig;
}

function answered(rig: PullRig, more: Record<string, string> = {}) {
  rig.pull(pullFields({ sysFlag: NO_WAIT, ...more }));
  const [reply] = rig.client.replies();
  const { suggestWhichBrokerId: next, nextBeginOffset: offset } = reply?.fields ?? {};
  return { code: reply?.code, next, offset, found: bodiesOf(reply?.body).length };
}

test('the group says where its consumers go, and a slave that does not keep up gets nobody', () => {
  const master = { slavesRead: true, slaveIsNear: true, masterIsThere: false };
  assert.is(nextBroker(master, GROUP, false), 3);
  assert.is(nextBroker(master, GROUP, true), 7);
  assert.is(nextBroker({ ...master, slaveIsNear: false }, GROUP, true), 3);
  for (const isFarBehind of [false, true])
    assert.is(nextBroker({ ...master, slavesRead: false }, GROUP, isFarBehind), 0);
});

test('a slave keeps those who are far behind, and sends the others to its master while that is there', () => {
  const slave = { slavesRead: true, slaveIsNear: true, masterIsThere: true };
  assert.is(nextBroker(slave, GROUP, true), 7);
  assert.is(nextBroker(slave, GROUP, false), 0);
  assert.is(nextBroker({ ...slave, masterIsThere: false }, GROUP, false), 3);
});

test('the first message behind what is in memory sends a consumer of a master to the slave', () => {
  const rig = rigWhere({ slaveIsNear: true });
  const { store } = rig.opened;
  assert.equal(answered(rig), { code: 0, next: '3', offset: '1', found: 1 });
  store.pull.inMemoryWindow = 0;
  assert.equal(answered(rig), { code: 0, next: '7', offset: '1', found: 1 });
  // Nothing was read: nobody is behind.
  assert.is(answered(rig, { queueOffset: '1' }).next, '3');
});

test('a consumer of a slave that has everything goes back to the master', () => {
  const rig = rigWhere({ slaveIsNear: true, masterIsThere: true });
  assert.equal(answered(rig), { code: 0, next: '0', offset: '1', found: 1 });
  rig.opened.store.pull.inMemoryWindow = 0;
  assert.is(answered(rig).next, '7');
  const retry = ResponseCode.PULL_RETRY_IMMEDIATELY;
  assert.equal(answered(rig, { queueOffset: '1' }), { code: retry, next: '0', offset: '1', found: 0 });
});

test('what a slave does not have yet does not cost a consumer its place', () => {
  const beyond = { queueOffset: '500' };
  const there = rigWhere({ slaveIsNear: true, masterIsThere: true });
  const retry = ResponseCode.PULL_RETRY_IMMEDIATELY;
  assert.equal(answered(there, beyond), { code: retry, next: '0', offset: '500', found: 0 });
  const gone = rigWhere({ slaveIsNear: true });
  const moved = ResponseCode.PULL_OFFSET_MOVED;
  assert.equal(answered(gone, beyond), { code: moved, next: '3', offset: '1', found: 0 });
});

test('pulls that find nothing on a slave wait for a second, and not for their whole time', () => {
  for (const queueOffset of ['1', '500']) {
    const rig = rigWhere({ slaveIsNear: true, masterIsThere: true });
    rig.pull(pullFields({ queueOffset }));
    assert.is(rig.hold.size, 1);
    rig.now += 900;
    rig.handler.expire();
    assert.equal(rig.client.replies(), []);
    rig.now += 400;
    rig.handler.expire();
    const [reply] = rig.client.replies();
    assert.is(reply?.code, ResponseCode.PULL_RETRY_IMMEDIATELY);
    assert.is(reply?.fields['suggestWhichBrokerId'], '0');
    assert.is(reply?.fields['nextBeginOffset'], queueOffset);
    assert.is(rig.hold.size, 0);
  }
});

test('a message that comes while such a pull waits is its answer', () => {
  const rig = rigWhere({ slaveIsNear: true, masterIsThere: true });
  rig.pull(pullFields({ queueOffset: '1' }));
  rig.put('news');
  rig.dispatch();
  rig.handler.arrived(rig.view.topics.getByName('T')?.queues[0]?.id ?? 0);
  rig.handler.serve();
  const [reply] = rig.client.replies();
  assert.equal([reply?.code, reply?.fields['suggestWhichBrokerId']], [0, '0']);
  assert.equal(bodiesOf(reply?.body), ['news']);
});

test.run();
