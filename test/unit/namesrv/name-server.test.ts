import { deflateSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_INFLATED_BYTES } from '../../../src/lib/limits.ts';
import { nameServerCodes } from '../../../src/namesrv/handlers.ts';
import { type NameServer, startNameServer } from '../../../src/namesrv/name-server.ts';
import { RequestCode } from '../../../src/protocol/codes.ts';
import { requestCommand, SERIALIZE_BINARY } from '../../../src/protocol/command.ts';
import { encodeCommand } from '../../../src/protocol/command-codec.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { eventually, RawPeer, textOf } from '../remoting/support.ts';
import { brokerFields, register, registerBody, route, topicConfig } from './support.ts';

interface Context {
  server: NameServer;
  peer: RawPeer;
}

const test = suite<Context>('name server');

test.before.each(async (context) => {
  context.server = await startNameServer({ host: '127.0.0.1', port: 0 });
  context.peer = await RawPeer.connect(context.server.port);
});

test.after.each(async ({ server, peer }) => {
  peer.close();
  await server.close();
});

test('golden route request, JSON and binary', async ({ server }) => {
  for (const serializeType of [0, SERIALIZE_BINARY]) {
    const peer = await RawPeer.connect(server.port);
    const request = { ...requestCommand(105, { topic: 'T' }), opaque: 1, version: 479, serializeType };
    peer.write(encodeCommand(request));
    const [answer] = await peer.receive(1);
    assert.is(answer?.code, 17);
    assert.is(answer?.serializeType, serializeType);
    assert.match(answer?.remark ?? '', /^No topic route info in name server for the topic: T/);
    peer.close();
  }
});

test('register, then route: integer keys quoted for who can read them', async ({ peer }) => {
  assert.is((await register(peer)).code, 0);
  const standard =
    '{"brokerDatas":[{"brokerAddrs":{"0":"10.0.0.1:10911"},"brokerName":"b","cluster":"c",' +
    '"enableActingMaster":false}],"filterServerTable":{},"queueDatas":[{"brokerName":"b","perm":6,' +
    '"readQueueNums":4,"topicSysFlag":0,"writeQueueNums":4}]}';
  assert.is(textOf((await route(peer, 't1')).body), standard);

  const old = standard.replace('"0"', '0');
  const opaque = peer.received.length + 1;
  peer.send({ ...requestCommand(105, { topic: 't1' }), version: 400, opaque });
  assert.is(textOf((await peer.receive(opaque))[opaque - 1]?.body), old);

  const fields = { topic: 't1', acceptStandardJsonOnly: 'true' };
  peer.send({ ...requestCommand(105, fields), version: 317, opaque: opaque + 1 });
  assert.is(textOf((await peer.receive(opaque + 1))[opaque]?.body), standard);
});

test('cluster info never quotes integer keys', async ({ peer }) => {
  await register(peer);
  assert.is(
    textOf((await peer.ask(RequestCode.GET_BROKER_CLUSTER_INFO)).body),
    '{"brokerAddrTable":{"b":{"brokerAddrs":{0:"10.0.0.1:10911"},"brokerName":"b","cluster":"c",' +
      '"enableActingMaster":false}},"clusterAddrTable":{"c":["b"]}}',
  );
});

test('a wrong checksum is refused, a missing one accepted', async ({ peer }) => {
  const wrong = await register(peer, { fields: { bodyCrc32: '12345' } });
  assert.is(wrong.code, 1);
  assert.is(wrong.remark, 'crc32 not match');
  assert.is((await register(peer, { fields: { bodyCrc32: '0' } })).code, 0);
});

test('a first registration with a single topic is refused, later ones are incremental', async ({ peer }) => {
  const refused = await register(peer, {}, [topicConfig('only')]);
  assert.is(refused.code, 1);
  assert.is(refused.remark, 'register broker failed');
  assert.is((await route(peer, 'only')).code, 17);
  await register(peer);
  assert.is((await register(peer, { counter: 2 }, [topicConfig('only')])).code, 0);
  assert.is((await route(peer, 'only')).code, 0);
  assert.is((await route(peer, 't1')).code, 0);
});

test('compressed registration', async ({ peer }) => {
  const texts = [
    '{"counter":3,"stateVersion":0,"timestamp":1700000000000}',
    'zipped 3 5 6 SINGLE_TAG {"+a":"b"}',
    'zipped2 1 1 4 SINGLE_TAG',
    '["10.0.0.9:1"]',
    '{"bname":"b","currIdMap":{0:0},"epoch":1,"topic":"zipped","totalQueues":3}',
  ];
  const part = (text: string) => Buffer.concat([int32(Buffer.byteLength(text)), Buffer.from(text)]);
  const [version = '', first = '', second = '', filters = '', mapping = ''] = texts;
  const body = Buffer.concat([
    part(version),
    int32(2),
    part(first),
    part(second),
    part(filters),
    int32(1),
    part(mapping),
  ]);
  const fields = { ...brokerFields(), haServerAddr: 'h:1', compressed: 'true' };
  assert.is((await peer.ask(RequestCode.REGISTER_BROKER, fields, deflateSync(body))).code, 0);
  const text = textOf((await route(peer, 'zipped')).body);
  assert.match(text, '"readQueueNums":3,"topicSysFlag":0,"writeQueueNums":5');
  assert.match(text, '"filterServerTable":{"10.0.0.1:10911":["10.0.0.9:1"]}');
  assert.match(text, '"topicQueueMappingByBroker":{"b":{"bname":"b","currIdMap":{"0":0},"epoch":1');
});

test('broken registrations fail without harm', async ({ peer }) => {
  const fields = { ...brokerFields(), haServerAddr: 'h:1' };
  for (const [body, compressed] of [
    ['{"topicConfigSerializeWrapper":[]}', 'false'],
    ['no json', 'false'],
    ['no deflate stream', 'true'],
  ]) {
    const answer = await peer.ask(
      RequestCode.REGISTER_BROKER,
      { ...fields, compressed: compressed ?? '' },
      Buffer.from(body ?? ''),
    );
    assert.is(answer.code, 1);
  }
  const lie = deflateSync(int32(0x7f_ff_ff_ff));
  const lying = await peer.ask(RequestCode.REGISTER_BROKER, { ...fields, compressed: 'true' }, lie);
  assert.match(lying.remark ?? '', /2147483647 bytes/);
  const missing = await peer.ask(RequestCode.REGISTER_BROKER, { brokerName: 'b' });
  assert.is(missing.remark, 'the custom field <clusterName> is null');
  assert.is(
    textOf((await peer.ask(RequestCode.GET_BROKER_CLUSTER_INFO)).body),
    '{"brokerAddrTable":{},"clusterAddrTable":{}}',
  );
});

test('slaves learn their master and say nothing about topics', async ({ server, peer }) => {
  await register(peer);
  const slave = await RawPeer.connect(server.port);
  const answer = await register(slave, { brokerId: 1, brokerAddr: '10.0.0.2:10911' }, [
    topicConfig('t1', 4),
    topicConfig('slave-only'),
  ]);
  assert.is(answer.fields['masterAddr'], '10.0.0.1:10911');
  assert.is(answer.fields['haServerAddr'], '10.0.0.1:10911-ha');
  assert.match(textOf((await route(peer, 't1')).body), '{"0":"10.0.0.1:10911","1":"10.0.0.2:10911"}');
  assert.match(textOf((await route(peer, 't1')).body), '"perm":6');
  assert.is((await route(peer, 'slave-only')).code, 17);
  const group = await peer.ask(901, { clusterName: 'c', brokerName: 'b' });
  assert.is(
    textOf(group.body),
    '{"brokerMemberGroup":{"brokerAddrs":{0:"10.0.0.1:10911",1:"10.0.0.2:10911"},"brokerName":"b","cluster":"c"}}',
  );
  slave.close();
});

test('a lost connection unregisters at once, a goodbye too', async ({ server, peer }) => {
  const broker = await RawPeer.connect(server.port);
  await register(broker);
  assert.is((await route(peer, 't1')).code, 0);
  broker.close();
  await eventually(async () => (await route(peer, 't1')).code === 17);
  await register(peer);
  assert.is((await peer.ask(RequestCode.UNREGISTER_BROKER, brokerFields())).code, 0);
  assert.is((await route(peer, 't1')).code, 17);
  assert.is((await peer.ask(RequestCode.UNREGISTER_BROKER, brokerFields())).code, 0);
});

test('a broker that has registered over a new connection survives the end of the old one', async ({
  server,
  peer,
}) => {
  const old = await RawPeer.connect(server.port);
  await register(old);
  await register(peer);
  old.close();
  await old.closed;
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.is((await route(peer, 't1')).code, 0);
});

test('topic lists', async ({ peer }) => {
  const topics = [
    topicConfig('plain'),
    topicConfig('unit', 6, 1),
    topicConfig('sub', 6, 2),
    topicConfig('both', 6, 3),
  ];
  await register(peer, {}, topics);
  const list = async (code: number, fields = {}) => textOf((await peer.ask(code, fields)).body);
  assert.is(await list(206), '{"topicList":["both","plain","sub","unit"]}');
  assert.is(await list(224, { cluster: 'c' }), '{"topicList":["both","plain","sub","unit"]}');
  assert.is(await list(224, { cluster: 'x' }), '{"topicList":[]}');
  assert.is(await list(304), '{"brokerAddr":"10.0.0.1:10911","topicList":["c","b"]}');
  assert.is(await list(311), '{"topicList":["both","unit"]}');
  assert.is(await list(312), '{"topicList":["both","sub"]}');
  assert.is(await list(313), '{"topicList":["sub"]}');
});

test('write permission is wiped and given back, until the broker says otherwise', async ({ peer }) => {
  await register(peer);
  const perm = async () => /"perm":(\d)/.exec(textOf((await route(peer, 't1')).body))?.[1];
  assert.is((await peer.ask(205, { brokerName: 'b' })).fields['wipeTopicCount'], '2');
  assert.is(await perm(), '4');
  await register(peer);
  assert.is(await perm(), '4', 'the same data version changes nothing');
  await register(peer, { counter: 2 });
  assert.is(await perm(), '6');
  await peer.ask(205, { brokerName: 'b' });
  assert.is((await peer.ask(327, { brokerName: 'b' })).fields['addTopicCount'], '2');
  assert.is(await perm(), '6');
});

test('topics are deleted in a cluster or everywhere, and registered one by one', async ({ peer }) => {
  await register(peer);
  await peer.ask(216, { topic: 't1', clusterName: 'x' });
  assert.is((await route(peer, 't1')).code, 0);
  await peer.ask(216, { topic: 't1', clusterName: 'c' });
  assert.is((await route(peer, 't1')).code, 17);
  await peer.ask(216, { topic: 't2' });
  assert.is((await route(peer, 't2')).code, 17);
  const queues = '{"queueDatas":[{"brokerName":"b","perm":6,"readQueueNums":1,"writeQueueNums":1}]}';
  await peer.ask(217, { topic: 't3' }, Buffer.from(queues));
  assert.is((await route(peer, 't3')).code, 0);
  await peer.ask(217, { topic: 't4' }, Buffer.from(queues.replace('"b"', '"unknown"')));
  assert.is((await route(peer, 't4')).code, 17);
});

test('data versions', async ({ peer }) => {
  const version = (counter: number) =>
    Buffer.from(`{"counter":${counter},"stateVersion":0,"timestamp":1700000000000}`);
  const unknown = await peer.ask(322, brokerFields(), version(1));
  assert.is(unknown.fields['changed'], 'true');
  assert.is(unknown.body, undefined);
  await register(peer);
  const same = await peer.ask(322, brokerFields(), version(1));
  assert.is(same.fields['changed'], 'false');
  assert.is(textOf(same.body), '{"counter":1,"stateVersion":0,"timestamp":1700000000000}');
  assert.is((await peer.ask(322, brokerFields(), version(2))).fields['changed'], 'true');
});

test('what a name server does not do', async ({ peer }) => {
  const answer = await peer.ask(RequestCode.SEND_MESSAGE);
  assert.is(answer.code, 3);
  assert.is(answer.remark, ' request type 10 not supported');
});

test('routes are refused for a while after the start when asked for', async () => {
  const server = await startNameServer({
    host: '127.0.0.1',
    port: 0,
    config: { needWaitForService: true, waitSecondsForService: 3600 },
  });
  const peer = await RawPeer.connect(server.port);
  assert.is((await route(peer, 'x')).remark, 'name server not ready');
  peer.close();
  await server.close();
});

test('10,000 topics one after the other take linear time', async ({ peer }) => {
  await register(peer);
  const registerTopics = async (from: number, to: number) => {
    const start = performance.now();
    for (let index = from; index < to; index += 1) {
      const body = registerBody([topicConfig(`topic-${index}`)], { counter: index + 2 });
      const fields = { ...brokerFields(), haServerAddr: 'h:1' };
      peer.send({ ...requestCommand(RequestCode.REGISTER_BROKER, fields, body), opaque: index });
    }
    await peer.receive(1 + to);
    return performance.now() - start;
  };
  const first = await registerTopics(0, 5000);
  const second = await registerTopics(5000, 10_000);
  assert.ok(peer.received.every((answer) => answer.code === 0));
  // Quadratic work would make it three times as much; the rest is for noise.
  assert.ok(second < first * 2 + 200, `${first} ms for the first half, ${second} ms for the second`);
  assert.is((await peer.ask(RequestCode.UNREGISTER_BROKER, brokerFields())).code, 0);
  assert.is(textOf((await peer.ask(206)).body), '{"topicList":[]}');
});

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

test('names that are none, numbers that mean nothing and endless texts are refused, whatever the request', async ({
  peer,
}) => {
  await register(peer);
  const sound = {
    ...brokerFields(),
    topic: 't1',
    cluster: 'c',
    namespace: 'n',
    key: 'k',
    value: 'v',
    haServerAddr: '10.0.0.1:10912',
    heartbeatTimeoutMillis: '1000',
    bodyCrc32: '0',
  };
  const odd = [
    '',
    '\0',
    'a\nb',
    'x'.repeat(300),
    'x'.repeat(70_000),
    '-1',
    '9'.repeat(400),
    '1e300',
    '9007199254740993',
  ];
  for (const code of nameServerCodes) {
    for (const name of Object.keys(sound)) {
      for (const value of odd) {
        const answer = await peer.ask(code, { ...sound, [name]: value }, registerBody([topicConfig('t1')]));
        assert.ok((answer.remark ?? '').length < 500, `${code} ${name}`);
      }
    }
  }
  const info = JSON.parse(
    textOf((await peer.ask(RequestCode.GET_BROKER_CLUSTER_INFO, {})).body).replaceAll('0:', '"0":'),
  );
  for (const name of [...Object.keys(info.brokerAddrTable), ...Object.keys(info.clusterAddrTable)]) {
    assert.match(name, /^[^\p{Cc}]{1,255}$/u);
  }
  const long = await peer.ask(RequestCode.GET_ROUTEINFO_BY_TOPIC, { topic: 'x'.repeat(256) });
  assert.equal(
    [long.code, long.remark],
    [29, 'characters in the field topic: more than 255 (limit MAX_NAME)'],
  );
});

test('topics with names that are none register nothing', async ({ peer }) => {
  for (const name of ['', 'a\0b', 'x'.repeat(256)]) {
    const answer = await register(peer, {}, [topicConfig('t1'), topicConfig(name)]);
    assert.is(answer.code, 1, name);
    assert.match(answer.remark ?? '', /^no topic's name: /);
  }
  assert.is((await route(peer, 't1')).code, 17);
});

test('a registration that unfolds to more than any broker has is refused by the name of the limit', async ({
  peer,
}) => {
  const bomb = deflateSync(Buffer.alloc(MAX_INFLATED_BYTES + 1));
  const fields = { ...brokerFields(), haServerAddr: '10.0.0.1:10912', compressed: 'true' };
  const answer = await peer.ask(RequestCode.REGISTER_BROKER, fields, bomb);
  assert.is(answer.code, 1);
  assert.match(answer.remark ?? '', /limit MAX_INFLATED_BYTES/);
  assert.is((await register(peer)).code, 0);
});

test('clients cannot fill the log, neither with many lines nor with long ones', async () => {
  const { log, lines } = recordingLog();
  const server = await startNameServer({ host: '127.0.0.1', port: 0, log });
  for (let n = 0; n < 60; n++) {
    const peer = await RawPeer.connect(server.port);
    await peer.ask(RequestCode.PUT_KV_CONFIG, { namespace: 'n'.repeat(100_000), key: 'k', value: 'v' });
    await register(peer, { brokerAddr: `10.0.0.${n}:10911`, brokerName: `b${n}` });
    // A length that no frame has: the server closes, and the broker goes with its connection.
    peer.write(Buffer.from('ffffffff', 'hex'));
    await peer.closed;
  }
  const admin = await RawPeer.connect(server.port);
  for (let n = 0; n < 300; n++) await admin.ask(RequestCode.PUT_KV_CONFIG, { key: 'k' });
  admin.close();
  await server.close();
  const texts = lines.map((line) => JSON.stringify(line));
  assert.ok(texts.every((text) => text.length < 1000));
  const [audit, others] = [true, false].map((isAudit) =>
    lines.filter(({ message }) => message.startsWith('audit: ') === isAudit),
  );
  assert.equal([audit?.length, audit?.at(-1)?.fields['repeated']], [201, 160]);
  // Of the brokers that came twenty can be read one by one, of those that were lost one: then they are counted.
  for (const [message, written] of [
    ['broker registered', 20],
    ['broker lost: it is no longer in the routes', 1],
  ] as const) {
    const told = lines.filter((line) => line.message === message);
    assert.is(told.length, written + 1, texts.join('\n'));
    assert.is(told.at(-1)?.fields['repeated'], 60 - written);
  }
  // And of the connections that were closed for what they sent.
  assert.is(others?.length, 21 + 2 + 21, texts.join('\n'));
});

test.run();
