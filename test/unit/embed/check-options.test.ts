import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkBrokerOptions, checkTopic } from '../../../src/embed/broker-options.ts';
import { RingMQError } from '../../../src/embed/error.ts';
import { openStore } from '../../../src/embed/message-store.ts';

const test = suite('options of an embedded broker');

/** The message with which `call` refuses; `''` when it does not. */
function refusal(call: () => unknown): string {
  try {
    call();
    return '';
  } catch (error) {
    if (!(error instanceof RingMQError)) throw error;
    assert.is(error.code, 'RINGMQ_BAD_OPTION');
    return error.message;
  }
}

const refused = (options: unknown) => refusal(() => checkBrokerOptions(options));

test('a misspelt option is told with the nearest one, on every level', () => {
  assert.is(refused({ prot: 0 }), 'startBroker: there is no option prot: did you mean port?');
  assert.match(refused({ Store: '/x' }), /no option Store: did you mean store\?$/);
  assert.match(
    refused({ settings: { autoCreateTopicEnabled: false } }),
    /no option settings\.autoCreateTopicEnabled: did you mean settings\.autoCreateTopicEnable\?$/,
  );
  assert.match(
    refused({ storeOptions: { flushDiskTyp: 'x' } }),
    /did you mean storeOptions\.flushDiskType\?$/,
  );
  assert.match(
    refused({ topics: [{ name: 'a', queue: 3 }] }),
    /no option topics\[0\]\.queue: did you mean topics\[0\]\.queues\?$/,
  );
  assert.match(refused({ zzz: 1 }), /no option zzz; there are store, host, port, /);
  assert.match(
    refusal(() => checkTopic('a', { queus: 1 })),
    /^createTopic: .* did you mean queues\?$/,
  );
});

test('what stands in the wrong place is led to the right one', () => {
  assert.match(refused({ flushDiskType: 'SYNC_FLUSH' }), /it belongs into storeOptions\.$/);
  assert.match(refused({ autoCreateTopicEnable: true }), /it belongs into settings\.$/);
  assert.match(refused({ settings: { listenPort: 1 } }), /the option port says it\.$/);
  assert.match(refused({ storeOptions: { directory: '/x' } }), /the option store says it\.$/);
  assert.match(refused({ settings: { maxMessageSize: 1 } }), /it belongs into storeOptions\.$/);
  assert.match(refused({ settings: { port: 1 } }), /beside settings and storeOptions\.$/);
  assert.match(
    refused({ settings: { aclEnable: true } }),
    /no option settings\.aclEnable: RingMQ does not check/,
  );
});

test('a wrong type or value is told with what is allowed', () => {
  for (const [options, expected] of [
    [{ port: '9876' }, /^startBroker: port: '9876' is not possible: allowed is 0 to 65535, as a number\.$/],
    [{ port: 65536 }, /port: 65536 is not possible: allowed is 0 to 65535\.$/],
    [{ port: Number.NaN }, /port: NaN is not/],
    [{ nameServerPort: null }, /nameServerPort: null is not/],
    [{ store: '' }, /store: '' is not possible: allowed is the path of a directory\.$/],
    [{ store: 5 }, /allowed is the path of a directory, as a string\.$/],
    [{ store: '~/queues' }, /os\.homedir\(\)/],
    [{ host: '' }, /host: '' is not/],
    [{ host: '0.0.0.0' }, /clients cannot connect to 0\.0\.0\.0: say in settings\.brokerIP1/],
    [{ networkThreads: 0 }, /networkThreads: 0 .* allowed is 1 to 30\.$/],
    [{ brokerName: 'a b' }, /brokerName: 'a b' .* allowed is a name\.$/],
    [
      { settings: { autoCreateTopicEnable: 'no' } },
      /settings\.autoCreateTopicEnable: 'no' .* true or false\.$/,
    ],
    [{ settings: { autoCreateTopicEnable: 'true' } }, /true or false, as a boolean\.$/],
    [{ settings: [] }, /settings is \[\], and must be an object\.$/],
    [{ storeOptions: { flushDiskType: 'SYNC' } }, /allowed is ASYNC_FLUSH or SYNC_FLUSH\.$/],
    [{ storeOptions: { mappedFileSizeCommitLog: 4096 } }, /cannot hold the largest message/],
    [{ topics: 'orders' }, /topics: 'orders' .* an array of topic names/],
    [{ topics: ['a b'] }, /topics\[0\]: 'a b' cannot be a topic: .*illegal characters/],
    [{ topics: [{ queues: 2 }] }, /topics\[0\] has no name\.$/],
    [{ topics: [{ name: 'a', queues: 0 }] }, /topics\[0\]\.queues: 0 is not possible: allowed is 1 to/],
    [{ topics: ['a', { name: 'a', queues: 2 }] }, /topics\[1\]: the topic a is given twice\.$/],
    [{ log: 'loud' }, /allowed is 'silent' or an object/],
    [{ log: { warning: () => {} } }, /allowed is 'silent' or an object/],
    [{ log: { warn: 'x' } }, /allowed is 'silent' or an object/],
    ['127.0.0.1', /the options are '127\.0\.0\.1', and must be an object\.$/],
    [null, /the options are null/],
  ] as const) {
    assert.match(refused(options), expected);
  }
});

test('what is right is taken, and what is undefined counts as not given', () => {
  const options = {
    port: 0,
    host: '0.0.0.0',
    store: undefined,
    topics: ['orders', { name: 'jobs', queues: 1 }],
    settings: { brokerIP1: '127.0.0.1', autoCreateTopicEnable: false, regionId: undefined },
    storeOptions: { flushDiskType: 'SYNC_FLUSH', maxMessageSize: undefined },
    log: console,
  };
  const checked = checkBrokerOptions(options);
  assert.equal(Object.keys(checked).sort(), ['host', 'log', 'port', 'settings', 'storeOptions', 'topics']);
  assert.equal(checked.topics, [
    { name: 'orders', queues: 4 },
    { name: 'jobs', queues: 1 },
  ]);
  assert.equal(checked.settings, { brokerIP1: '127.0.0.1', autoCreateTopicEnable: false });
  assert.equal(checked.storeOptions, { flushDiskType: 'SYNC_FLUSH' });
  assert.equal(checkTopic('orders', { queues: 8 }), { queues: 8 });
});

test('what is checked is a copy that can be posted, whatever the lists of the program are', () => {
  class Names extends Array<string> {
    helper = () => {};
  }
  const settings = Object.assign(Object.create({ inherited: () => {} }), { regionId: 'here' });
  const topics = new Proxy(Names.of('orders', 'jobs'), {});
  assert.throws(() => structuredClone({ topics, settings }));
  const checked = checkBrokerOptions({ topics, settings, storeOptions: new Proxy({}, {}) });
  assert.equal(structuredClone(checked), {
    topics: [
      { name: 'orders', queues: 4 },
      { name: 'jobs', queues: 4 },
    ],
    settings: { regionId: 'here' },
    storeOptions: {},
  });
});

test('openStore checks its options too', () => {
  const open = (options: unknown) => refusal(() => openStore(options as Parameters<typeof openStore>[0]));
  assert.is(open({}), 'openStore: the option directory is missing.');
  assert.match(open({ directory: '' }), /^openStore: directory: '' is not possible/);
  assert.match(open({ directry: '/x' }), /did you mean directory\?$/);
  assert.match(
    open({ directory: '/x', options: { flushDiskTyp: 1 } }),
    /did you mean options\.flushDiskType\?$/,
  );
  assert.match(open({ directory: '/x', warn: true }), /allowed is a function/);
});

test.run();
