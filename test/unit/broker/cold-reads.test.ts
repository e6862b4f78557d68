/** Flow control of cold reads: who has to wait, until when, and what an operator sets and sees. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_COLD_GROUPS } from '../../../src/lib/limits.ts';
import { RequestCode, ResponseCode } from '../../../src/protocol/codes.ts';
import { bodyJson, request, type Setup, setUp } from './support.ts';

const test = suite('cold reads');

const KIB = 1024;
const WINDOW_MS = 5_000;

function watched(more: object = {}): Setup {
  const setup = setUp({
    coldDataFlowControlEnable: true,
    cgColdReadThreshold: 100 * KIB,
    globalColdReadThreshold: 250 * KIB,
    ...more,
  });
  return setup;
}

test('a group that has had enough is refused until the window is over, others are not', async () => {
  const { context, time } = watched();
  const { coldReads } = context;
  let changes = 0;
  coldReads.changed.add(() => {
    changes += 1;
  });
  coldReads.read({ group: 'a', bytes: 60 * KIB });
  coldReads.read({ group: 'b', bytes: 60 * KIB });
  assert.equal(coldReads.refusals, { watched: true, all: false, groups: [] });
  coldReads.read({ group: 'a', bytes: 40 * KIB });
  coldReads.read({ group: 'a', bytes: 1 });
  assert.equal(coldReads.refusals, { watched: true, all: false, groups: ['a'] });
  assert.is(changes, 1, 'told once');
  await time.advance(WINDOW_MS);
  assert.equal(coldReads.refusals, { watched: true, all: false, groups: [] });
  assert.is(changes, 2);
  coldReads.read({ group: 'a', bytes: 60 * KIB });
  assert.equal(coldReads.refusals.groups, [], 'it begins anew');
});

test('all together may have no more than they may', async () => {
  const { context, time } = watched();
  for (const group of ['a', 'b', 'c']) context.coldReads.read({ group, bytes: 90 * KIB });
  assert.equal(context.coldReads.refusals, { watched: true, all: true, groups: [] });
  await time.advance(WINDOW_MS);
  assert.not.ok(context.coldReads.refusals.all);
});

test('nothing is counted while it is off, nor for system groups', () => {
  const { context, settings } = watched({ coldDataFlowControlEnable: false });
  const { coldReads } = context;
  coldReads.read({ group: 'a', bytes: 1e9 });
  assert.equal(coldReads.refusals, { watched: false, all: false, groups: [] });
  settings.coldDataFlowControlEnable = true;
  coldReads.read({ group: 'CID_RMQ_SYS_x', bytes: 1e9 });
  assert.equal(coldReads.refusals, { watched: true, all: false, groups: [] });
  coldReads.read({ group: 'a', bytes: 1e9 });
  settings.coldDataFlowControlEnable = false;
  assert.equal(coldReads.refusals, { watched: false, all: false, groups: [] });
});

test('an operator sets thresholds of groups, all of a request or none, and sees what was read', async () => {
  const setup = watched();
  const { ask, context, time } = setup;
  const set = (body: string) => ask(request(RequestCode.UPDATE_COLD_DATA_FLOW_CTR_CONFIG, {}, body));
  assert.is((await set('a=1000\nb=2000\n'))?.code, 0);
  for (const wrong of ['c=1\nd=-1', 'c=1\nd=x', 'c=1\nno/group=1']) {
    const refused = await set(wrong);
    assert.is(refused?.code, ResponseCode.SYSTEM_ERROR, wrong);
    assert.match(refused?.remark ?? '', /nothing was changed/);
  }
  context.coldReads.read({ group: 'a', bytes: 1000 });
  context.coldReads.read({ group: 'z', bytes: 1000 });
  assert.equal(context.coldReads.refusals.groups, ['a']);
  const info = async () => bodyJson(await ask(request(RequestCode.GET_COLD_DATA_FLOW_CTR_INFO)));
  const shown = { coldAcc: 1000, createTimeMills: time.now(), lastColdReadTimeMills: time.now() };
  assert.equal(JSON.parse(JSON.stringify(await info())), {
    cgColdReadThreshold: 100 * KIB,
    configTable: { a: 1000, b: 2000 },
    globalAcc: 2000,
    globalColdReadThreshold: 250 * KIB,
    runtimeTable: { a: shown, z: shown },
  });
  const remove = request(RequestCode.REMOVE_COLD_DATA_FLOW_CTR_CONFIG, {}, 'a');
  assert.is((await ask(remove))?.code, 0);
  assert.equal([...context.coldReads.thresholds.keys()], ['b']);
  await time.advance(60_000 + WINDOW_MS);
  assert.equal(Object.keys((await info())['runtimeTable'] as object), []);
});

test('thresholds and counted groups are bounded', async () => {
  const setup = watched({ globalColdReadThreshold: 1e12 });
  const { ask, context } = setup;
  const set = (body: string) => ask(request(RequestCode.UPDATE_COLD_DATA_FLOW_CTR_CONFIG, {}, body));
  const lines = Array.from({ length: MAX_COLD_GROUPS }, (_, i) => `g${i}=1`);
  assert.is((await set(lines.join('\n')))?.code, 0);
  assert.match((await set('one-more=1'))?.remark ?? '', /limit MAX_COLD_GROUPS/);
  assert.is((await set('g0=2'))?.code, 0, 'one that is there is changed');
  for (let i = 0; i <= MAX_COLD_GROUPS; i++) context.coldReads.read({ group: `r${i}`, bytes: 1e9 });
  assert.is(context.coldReads.refusals.groups.length, MAX_COLD_GROUPS);
  assert.is(context.coldReads.usage.size, MAX_COLD_GROUPS);
});

test.run();
