// Replies frame by frame: what a requester is pushed, what is kept, and which reply gets which answer. The codes and
// texts are those of the real broker.

import * as assert from 'uvu/assert';
import { REPLY_TOPIC } from './scenarios/request-reply.ts';
import { dispatched } from './scenarios/transacting.ts';
import { RawConnection, type RawRequest, type RawResponse, send } from './support/raw.ts';
import { RawProducer } from './support/raw-producer.ts';
import { encodeProperties, readQueue } from './support/records.ts';
import { clusterSuite } from './support/suite.ts';
import { startCluster, target } from './support/target.ts';

const { test, cluster } = clusterSuite('reply frames', { networkThreads: 2 });

const SEND_REPLY = 324;
const SEND_REPLY_V2 = 325;
const PUSH_REPLY = 326;
const LETTERS = ['producerGroup', 'topic', 'defaultTopic', 'defaultTopicQueueNums', 'queueId', 'sysFlag'];
const MORE_LETTERS = ['bornTimestamp', 'flag', 'properties', 'reconsumeTimes', 'unitMode'];
const BORN = 1_700_000_000_000;

type Texts = Readonly<Record<string, string | number>>;

let serial = 0;

/** A reply with the header of version 1, or of version 2. */
function reply(to: string | undefined, v2: boolean, fields: Texts = {}, properties: Texts = {}): RawRequest {
  const own = to === undefined ? {} : { REPLY_TO_CLIENT: to };
  const all = { MSG_TYPE: 'reply', CORRELATION_ID: `c-${serial++}`, ...own, TTL: 3_000, ...properties };
  const { ext = {}, body } = send(
    REPLY_TOPIC,
    { producerGroup: 'repliers', bornTimestamp: BORN, flag: 7, properties: encodeProperties(all), ...fields },
    'the reply',
  );
  const letters = Object.fromEntries(
    [...LETTERS, ...MORE_LETTERS].map((name, place) => [String.fromCharCode(97 + place), ext[name] ?? '']),
  );
  return { code: v2 ? SEND_REPLY_V2 : SEND_REPLY, ext: v2 ? letters : ext, ...(body && { body }) };
}

function pushed(requester: RawProducer, count = 1): Promise<RawResponse> {
  const all = () => requester.connection.asked.filter(({ code }) => code === PUSH_REPLY);
  return requester.connection.until('a pushed reply', () => all()[count - 1]);
}

function propertiesIn(text: string | undefined): Record<string, string> {
  return Object.fromEntries(
    (text ?? '')
      .split('\u0002')
      .filter((pair) => pair !== '')
      .map((pair) => pair.split('\u0001') as [string, string]),
  );
}

for (const v2 of [false, true]) {
  test(`a reply is pushed as it was sent, and kept (${v2 ? SEND_REPLY_V2 : SEND_REPLY})`, async () => {
    const requester = await RawProducer.open(cluster().broker.address, `requesters-${v2}`);
    const replier = await RawConnection.open(cluster().broker.address);
    const began = Date.now();
    const opaque = replier.send(reply(requester.clientId, v2, {}, { mine: 'too' }));
    const push = await pushed(requester);
    const fields = push.extFields ?? {};
    assert.is(push.flag, 0, 'an answer is asked for');
    assert.is(push.body.toString(), 'the reply');
    const { bornHost = '', storeHost, storeTimestamp, properties, ...same } = fields;
    assert.equal(same, {
      producerGroup: 'repliers',
      topic: REPLY_TOPIC,
      defaultTopic: 'TBW102',
      defaultTopicQueueNums: '4',
      queueId: '0',
      sysFlag: '0',
      bornTimestamp: String(BORN),
      flag: '7',
      reconsumeTimes: '0',
      unitMode: 'false',
    });
    assert.match(bornHost, /^127\.0\.0\.1:\d+$/);
    assert.is(storeHost, cluster().broker.address);
    assert.ok(Number(storeTimestamp) >= began && Number(storeTimestamp) <= Date.now());
    const { PUSH_REPLY_TIME, CORRELATION_ID, ...told } = propertiesIn(properties);
    assert.ok(Number(PUSH_REPLY_TIME) >= began && CORRELATION_ID?.startsWith('c-'));
    assert.equal(told, {
      MSG_TYPE: 'reply',
      REPLY_TO_CLIENT: requester.clientId,
      TTL: '3000',
      mine: 'too',
      MSG_REGION: 'DefaultRegion',
      TRACE_ON: 'true',
    });

    assert.is(replier.answers, 0, 'the replier waits for the requester');
    requester.connection.answer(push, 0);
    const answer = await replier.response(opaque);
    assert.equal([answer.code, answer.remark], [0, undefined]);
    const { msgId, queueId, queueOffset, ...rest } = answer.extFields ?? {};
    assert.equal(rest, { MSG_REGION: 'DefaultRegion', TRACE_ON: 'true' });
    await dispatched(replier);
    const kept = (await readQueue(replier, REPLY_TOPIC)).find(
      (record) => record.properties['CORRELATION_ID'] === CORRELATION_ID,
    );
    assert.ok(kept);
    assert.equal([Number(queueId), Number(queueOffset)], [0, kept.queueOffset]);
    assert.is(Number.parseInt(msgId?.slice(-16) ?? '', 16), kept.physicalOffset);
    assert.equal([kept.body.toString(), kept.flag, kept.bornTime], ['the reply', 7, BORN]);
    assert.equal(kept.properties, { ...told, CORRELATION_ID });
    replier.destroy();
    requester.close();
  });
}

test('a requester that refuses, and one that does not exist: an error, and kept nevertheless', async () => {
  const requester = await RawProducer.open(cluster().broker.address, 'refusing');
  const replier = await RawConnection.open(cluster().broker.address);
  const opaque = replier.send(reply(requester.clientId, true));
  requester.connection.answer(await pushed(requester), 1, 'process reply message fail');
  const refused = await replier.response(opaque);
  assert.is(refused.code, 1);
  assert.match(refused.remark ?? '', new RegExp(`push reply message to <?${requester.clientId}>? ?fail`));
  const nobody = await replier.request(reply('nobody', true));
  assert.equal([nobody.code, nobody.remark], [1, 'push reply message fail, channel of <nobody> not found.']);
  const unnamed = await replier.request(reply(undefined, true));
  assert.equal([unnamed.code, unnamed.remark], [1, 'reply message properties[REPLY_TO_CLIENT] is null']);
  const offsets = [refused, nobody, unnamed].map(({ extFields }) => Number(extFields?.['queueOffset']));
  assert.equal(
    offsets,
    [0, 1, 2].map((step) => (offsets[0] as number) + step),
  );
  assert.equal([nobody.extFields?.['MSG_REGION'], nobody.extFields?.['TRACE_ON']], ['DefaultRegion', 'true']);
  requester.close();
  const gone = await replier.request(reply(requester.clientId, true));
  assert.is(gone.code, 1);
  replier.destroy();
});

test('replies go to the newest connection of a client, and to the one before it when that has gone', async () => {
  const first = await RawProducer.open(cluster().broker.address, 'twins');
  const second = await RawProducer.open(cluster().broker.address, 'other-twins', first.clientId);
  const replier = await RawConnection.open(cluster().broker.address);
  const opaque = replier.send(reply(first.clientId, true));
  second.connection.answer(await pushed(second), 0);
  assert.is((await replier.response(opaque)).code, 0);
  assert.is(first.connection.asked.length, 0);
  second.close();
  if (target === 'ringmq') {
    // The real broker has forgotten the first one with the second.
    await dispatched(replier);
    const next = replier.send(reply(first.clientId, true));
    first.connection.answer(await pushed(first), 0);
    assert.is((await replier.response(next)).code, 0);
  }
  first.close();
  replier.destroy();
});

test('what is wrong with a reply is said as of any send', async () => {
  const replier = await RawConnection.open(cluster().broker.address);
  const answers = async (fields: Texts, v2 = false): Promise<number> =>
    (await replier.request(reply('nobody', v2, fields))).code;
  assert.is(await answers({ topic: 'no/name' }), 29);
  assert.is(await answers({ topic: 'SCHEDULE_TOPIC_XXXX' }), 16);
  assert.is(await answers({ topic: 'unknown', defaultTopic: 'unknown-too' }), 17);
  assert.is(await answers({ queueId: 1 }, true), 29);
  assert.is(await answers({ queueId: -1 }, true), 1, 'any queue');
  const chosen = await replier.request(reply('nobody', true, { queueId: -1 }));
  assert.is(chosen.extFields?.['queueId'], '0');
  const made = await replier.request(reply('nobody', false, { topic: 'made-by-a-reply' }));
  assert.equal([made.code, made.extFields?.['queueOffset']], [1, '0']);
  replier.destroy();
});

test('replies are not kept when they are not to be', async () => {
  const plain = await startCluster({ conf: { storeReplyMessageEnable: false } });
  const requester = await RawProducer.open(plain.broker.address, 'requesters');
  const replier = await RawConnection.open(plain.broker.address);
  const opaque = replier.send(reply(requester.clientId, true));
  requester.connection.answer(await pushed(requester), 0);
  const { code, extFields } = await replier.response(opaque);
  assert.is(code, 0);
  assert.equal([extFields?.['msgId'], extFields?.['queueId'], extFields?.['queueOffset']], ['0', '0', '0']);
  const nobody = await replier.request(reply('nobody', true));
  assert.equal([nobody.code, nobody.extFields?.['msgId']], [1, undefined]);
  await dispatched(replier);
  assert.is((await readQueue(replier, REPLY_TOPIC)).length, 0);
  replier.destroy();
  requester.close();
  await plain.stop();
});

test.run();
