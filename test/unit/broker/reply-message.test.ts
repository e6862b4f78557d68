/** Replies to requests: who gets them, what is kept, what the replier is told, and how much may be under way. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  MAX_PUSH_BYTES,
  MAX_PUSH_BYTES_PER_CLIENT,
  MAX_PUSHES,
  MAX_PUSHES_PER_CLIENT,
} from '../../../src/lib/limits.ts';
import { RequestCode, ResponseCode } from '../../../src/protocol/codes.ts';
import { type RemotingCommand, responseTo } from '../../../src/protocol/command.ts';
import { encodeProperties, parseProperties } from '../../../src/record/properties.ts';
import { FakeConnection, settle } from '../metadata/support.ts';
import { request, type Setup, setUp } from './support.ts';

const test = suite('replies');

const TOPIC = 'cluster-a_REPLY_TOPIC';
const FIELDS = {
  producerGroup: 'repliers',
  topic: TOPIC,
  defaultTopic: 'TBW102',
  defaultTopicQueueNums: 4,
  queueId: 0,
  sysFlag: 0,
  bornTimestamp: 5,
  flag: 7,
};

/** A client that answers what it is pushed with `code`, or never. */
function requester(setup: Setup, clientId: string, code?: number): FakeConnection {
  const connection = new FakeConnection(clientId);
  if (code !== undefined) connection.answer = async (command) => responseTo(command, code, 'as told');
  const client = { connection, clientId, language: 'JAVA', version: 513 };
  setup.context.clients.producers.register('requesters', client, setup.time.monotonic());
  return connection;
}

function replyTo(
  clientId: string | undefined,
  properties: Record<string, string> = {},
  fields: object = {},
): RemotingCommand {
  const own = clientId === undefined ? {} : { REPLY_TO_CLIENT: clientId };
  const text = encodeProperties(Object.entries({ CORRELATION_ID: 'c', ...own, ...properties }));
  const sent = { ...FIELDS, properties: text, ...fields };
  return { ...request(RequestCode.SEND_REPLY_MESSAGE, sent), body: Buffer.from('hello') };
}

test('a reply is passed on to the client that it names and kept; the answer names its place', async () => {
  const setup = setUp();
  const client = requester(setup, 'id', ResponseCode.SUCCESS);
  const answer = await setup.ask(replyTo('id', { mine: 'x', TRACE_ON: 'forged' }));
  assert.equal([answer?.code, answer?.remark], [ResponseCode.SUCCESS, undefined]);
  assert.equal(answer?.fields, {
    MSG_REGION: 'DefaultRegion',
    TRACE_ON: 'true',
    msgId: '0A01010100002A9F0000000000000000',
    queueId: '0',
    queueOffset: '0',
  });
  const [push] = client.asked;
  const { properties = '', ...pushed } = push?.fields ?? {};
  const now = String(setup.time.now());
  assert.equal(pushed, {
    ...Object.fromEntries(Object.entries(FIELDS).map(([name, value]) => [name, String(value)])),
    unitMode: 'false',
    bornHost: setup.connection.remoteAddress,
    storeHost: '10.1.1.1:10911',
    storeTimestamp: now,
  });
  const kept = {
    CORRELATION_ID: 'c',
    REPLY_TO_CLIENT: 'id',
    mine: 'x',
    MSG_REGION: 'DefaultRegion',
    TRACE_ON: 'true',
  };
  assert.equal(Object.fromEntries(parseProperties(properties)), { ...kept, PUSH_REPLY_TIME: now });
  assert.equal([push?.code, push?.body?.toString()], [RequestCode.PUSH_REPLY_MESSAGE_TO_CLIENT, 'hello']);
  const [stored, ...more] = setup.put.messages;
  assert.is(more.length, 0);
  assert.equal([stored?.topic, stored?.queueId, stored?.flag, stored?.bornTimestamp], [TOPIC, 0, 7, 5]);
  assert.equal(Object.fromEntries(stored?.properties ?? []), kept);
});

test('the header of version 2 means the same', async () => {
  const setup = setUp();
  const client = requester(setup, 'id', ResponseCode.SUCCESS);
  const { fields, body } = replyTo(
    'id',
    {},
    { reconsumeTimes: 3, unitMode: true, maxReconsumeTimes: 16, batch: true },
  );
  const letters = Object.fromEntries(
    Object.values(fields).map((value, i) => [String.fromCharCode(97 + i), value]),
  );
  const v2 = { ...request(RequestCode.SEND_REPLY_MESSAGE_V2, letters), body };
  assert.is((await setup.ask(v2))?.code, ResponseCode.SUCCESS);
  const pushed = client.asked[0]?.fields ?? {};
  assert.equal([pushed['topic'], pushed['reconsumeTimes'], pushed['unitMode']], [TOPIC, '3', 'true']);
  assert.is(setup.put.messages[0]?.reconsumeTimes, 3);
});

test('what keeps a reply from its requester is an error with the reason; it is kept nevertheless', async () => {
  const setup = setUp();
  requester(setup, 'refuses', ResponseCode.SYSTEM_ERROR);
  const silent = requester(setup, 'breaks');
  silent.answer = async () => {
    throw new Error('the connection has ended');
  };
  const cases: [to: string | undefined, remark: RegExp][] = [
    [undefined, /^reply message properties\[REPLY_TO_CLIENT\] is null$/],
    ['nobody', /^push reply message fail, channel of <nobody> not found\.$/],
    ['refuses', /^push reply message to <refuses> fail: it answered 1 as told$/],
    ['breaks', /^push reply message to <breaks> fail: the connection has ended$/],
  ];
  for (const [index, [to, remark]] of cases.entries()) {
    const answer = await setup.ask(replyTo(to));
    assert.is(answer?.code, ResponseCode.SYSTEM_ERROR);
    assert.match(answer?.remark ?? '', remark);
    assert.is(answer?.fields['queueOffset'], '0');
    assert.is(setup.put.messages.length, index + 1);
  }
});

test('success means that the requester has it, whether it was kept or not', async () => {
  const setup = setUp({ storeReplyMessageEnable: false });
  requester(setup, 'id', ResponseCode.SUCCESS);
  const place = { msgId: '0', queueId: '0', queueOffset: '0' };
  const own = { MSG_REGION: 'DefaultRegion', TRACE_ON: 'true' };
  assert.equal((await setup.ask(replyTo('id')))?.fields, { ...own, ...place });
  assert.equal((await setup.ask(replyTo('nobody')))?.fields, own);
  assert.is(setup.put.messages.length, 0);
  setup.settings.storeReplyMessageEnable = true;
  setup.put.status = ResponseCode.SYSTEM_BUSY;
  const answer = await setup.ask(replyTo('id'));
  assert.equal([answer?.code, answer?.fields], [ResponseCode.SUCCESS, { ...own, ...place }]);
  assert.equal(
    setup.refused.map(({ reason, topic }) => [reason, topic]),
    [['busy', TOPIC]],
    'the log tells of what was not kept',
  );
});

test('what is kept may wait for its time, but is never half a transaction', async () => {
  const setup = setUp({ rejectTransactionMessage: true });
  requester(setup, 'id', ResponseCode.SUCCESS);
  await setup.ask(replyTo('id', { TRAN_MSG: 'true' }));
  await setup.ask(replyTo('id', { DELAY: '3' }));
  await setup.ask(replyTo('id', { DELAY: 'x' }));
  assert.equal(
    setup.put.messages.map(({ topic, queueId }) => [topic, queueId]),
    [
      [TOPIC, 0],
      ['SCHEDULE_TOPIC_XXXX', 2],
    ],
  );
  assert.is(setup.refused.length, 1);
});

test('a reply that cannot be read is refused before anything is done with it', async () => {
  const setup = setUp();
  const client = requester(setup, 'id', ResponseCode.SUCCESS);
  for (const fields of [{ queueId: 'x' }, { bornTimestamp: '' }, { defaultTopicQueueNums: 1e10 }]) {
    assert.is((await setup.ask(replyTo('id', {}, fields)))?.code, ResponseCode.SYSTEM_ERROR);
  }
  const nul = await setup.ask(replyTo('id', {}, { properties: 'a\x01\0\x02' }));
  assert.is(nul?.code, ResponseCode.MESSAGE_ILLEGAL);
  assert.equal([client.asked.length, setup.put.messages.length], [0, 0]);
});

test('what clients have not answered is bounded, of one and of all, in number and in bytes', async () => {
  const setup = setUp({ storeReplyMessageEnable: false });
  const { pushes } = setup.context;
  const refusal = async (reply: RemotingCommand) => {
    const answer = await setup.ask(reply);
    return [answer?.code, /limit (\w+)/.exec(answer?.remark ?? '')?.[1]];
  };
  requester(setup, 'first');
  for (let i = 0; i < MAX_PUSHES_PER_CLIENT; i++) void setup.ask(replyTo('first'));
  const busy = ResponseCode.SYSTEM_BUSY;
  assert.equal(await refusal(replyTo('first')), [busy, 'MAX_PUSHES_PER_CLIENT']);
  for (let i = 1; pushes.underWay < MAX_PUSHES; i++) {
    if (i % MAX_PUSHES_PER_CLIENT === 1) requester(setup, `c${i}`);
    const last = i - ((i - 1) % MAX_PUSHES_PER_CLIENT);
    void setup.ask(replyTo(`c${last}`));
    await settle();
  }
  requester(setup, 'another');
  assert.equal(await refusal(replyTo('another')), [busy, 'MAX_PUSHES']);
});

test('bytes that clients have not answered are bounded too, and given back', async () => {
  const setup = setUp({ storeReplyMessageEnable: false });
  const { pushes } = setup.context;
  const large = (to: string, bytes: number) => ({ ...replyTo(to), body: Buffer.alloc(bytes) });
  const client = requester(setup, 'large');
  const ends: (() => void)[] = [];
  client.answer = (command) => new Promise((resolve) => ends.push(() => resolve(responseTo(command, 0))));
  const first = setup.ask(large('large', MAX_PUSH_BYTES_PER_CLIENT + 1));
  const refused = await setup.ask(large('large', 1));
  assert.match(refused?.remark ?? '', /limit MAX_PUSH_BYTES_PER_CLIENT/);
  ends[0]?.();
  assert.is((await first)?.code, ResponseCode.SUCCESS, 'what is larger than the limit goes alone');
  assert.is(pushes.underWay, 0);
  const again = setup.ask(large('large', 1));
  await settle();
  assert.is(ends.length, 2, 'there is room again');
  ends[1]?.();
  await again;
  const share = MAX_PUSH_BYTES_PER_CLIENT / 2;
  for (let i = 0; i < MAX_PUSH_BYTES / share - 1; i++) {
    requester(setup, `s${i}`);
    void setup.ask(large(`s${i}`, share));
  }
  requester(setup, 'last');
  const full = await setup.ask(large('last', share));
  assert.equal(
    [full?.code, /limit (\w+)/.exec(full?.remark ?? '')?.[1]],
    [ResponseCode.SYSTEM_BUSY, 'MAX_PUSH_BYTES'],
  );
});

test.run();
