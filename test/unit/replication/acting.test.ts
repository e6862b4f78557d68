/** When a slave acts for its master, what it delivers then, and what the master takes over when it is back. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { takeBack } from '../../../src/broker/follow/take-back.ts';
import { DelayOffsets } from '../../../src/metadata/delay-offsets.ts';
import { RequestCode, ResponseCode } from '../../../src/protocol/codes.ts';
import { type RemotingCommand, responseTo } from '../../../src/protocol/command.ts';
import { type CommandServer, startCommandServer } from '../../../src/remoting/command-server.ts';
import { Acting } from '../../../src/threads/control/acting.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { setUp } from '../broker/support.ts';

const test = suite('acting for a master');
const ID = 2;
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A server that answers each code with a body. */
function serving(
  answers: ReadonlyMap<number, string>,
  asked: RemotingCommand[] = [],
): Promise<CommandServer> {
  const handler = (request: RemotingCommand) => {
    asked.push(request);
    const body = answers.get(request.code);
    if (request.code === RequestCode.GET_OFFSETS_SINCE)
      return Promise.resolve(responseTo(request, ResponseCode.REQUEST_CODE_NOT_SUPPORTED, 'none'));
    if (body === undefined) return Promise.resolve(responseTo(request, ResponseCode.SYSTEM_ERROR, 'not now'));
    return Promise.resolve({ ...responseTo(request, ResponseCode.SUCCESS), body: Buffer.from(body) });
  };
  return startCommandServer({ host: '127.0.0.1', port: 0, handler });
}

function rig() {
  const { log, lines } = recordingLog();
  const heard = { master: false };
  const delivery = { begun: 0, isRefused: false, ended: Promise.resolve(), isUp: () => {} };
  const acting = new Acting({
    brokerId: ID,
    hearsMaster: () => heard.master,
    delivery: {
      begin: (begun) => {
        if (delivery.isRefused) throw new Error('the disk is full');
        delivery.begun += 1;
        delivery.isUp = begun;
      },
      end: () => delivery.ended,
    },
    log,
  });
  return { acting, heard, lines, delivery };
}

test('it acts when it is the first that is registered for three rounds, and does not hear its master', async () => {
  const { acting, heard } = rig();
  const rounds = (count: number, ...ids: number[]) => {
    for (let i = 0; i < count; i++) acting.members(ids);
    return acting.acts;
  };
  assert.not(rounds(5, 0, ID), 'there is a master');
  assert.not(rounds(5, 1, ID), 'another slave is in front of it');
  assert.not(rounds(5), 'nobody is there');
  assert.not(rounds(2, ID));
  assert.ok(rounds(1, ID, 3));
  assert.not(rounds(1, 0, ID), 'its master is back');
  await turn();
  assert.not(rounds(2, ID), 'and it counts anew');
  heard.master = true;
  assert.not(rounds(5, ID), 'only the name servers do not hear the master');
  heard.master = false;
  assert.ok(rounds(3, ID));
  acting.stop('the test is over');
  assert.not(acting.acts);
});

test('what it has begun ends before it begins again, and what it cannot begin is tried again', async () => {
  const { acting, lines, delivery } = rig();
  const rounds = (count: number, ...ids: number[]) => {
    for (let i = 0; i < count; i++) acting.members(ids);
  };
  delivery.isRefused = true;
  rounds(5, ID);
  assert.not(acting.acts);
  assert.is(lines.at(-1)?.message, 'this slave cannot act for its master, tried again');
  delivery.isRefused = false;
  rounds(1, ID);
  assert.ok(acting.acts);
  let end: () => void = () => {};
  delivery.ended = new Promise((resolve) => {
    end = resolve;
  });
  rounds(1, 0, ID);
  rounds(5, ID);
  assert.is(delivery.begun, 1, 'what was under way has not ended');
  end();
  await turn();
  rounds(1, ID);
  assert.is(delivery.begun, 2);
  const said = () =>
    lines.filter(({ message }) => message.startsWith('this slave acts for its master')).length;
  assert.is(said(), 0, 'nobody was told that it acts');
  delivery.isUp();
  rounds(1, 0, ID);
  assert.is(said(), 2);
  delivery.isUp();
  assert.is(said(), 2, 'it has ended meanwhile');
});

test('a master takes over what is further than its own, as far as its queues go', async () => {
  const setup = setUp();
  const { context } = setup;
  const delayOffsets = new DelayOffsets(setup.directory, setup.settings, setup.time);
  context.offsets.commit('g', 't', 0, 5);
  context.offsets.commit('g', 't', 1, 5);
  delayOffsets.set(1, 7);
  delayOffsets.set(2, 7);
  const slave = await serving(
    new Map<number, string>([
      [RequestCode.GET_ALL_CONSUMER_OFFSET, '{"offsetTable":{"t@g":{0:3,1:8,2:99}}}'],
      [RequestCode.GET_ALL_DELAY_OFFSET, '{"offsetTable":{1:3,2:9,3:99}}'],
      [RequestCode.GET_ACTED_TIMERS, '{"timers":[[700,5],[900,6],["x",1]],"total":3}'],
    ]),
  );
  const kept: unknown[] = [];
  const group = (...members: string[]) =>
    new Map<number, string>([
      [RequestCode.GET_BROKER_MEMBER_GROUP, `{"brokerMemberGroup":{"brokerAddrs":{${members}}}}`],
    ]);
  const take = async (...members: string[]) => {
    const nameServer = await serving(group(...members));
    // One that has just started knows nobody.
    const young = await serving(group());
    const { log, lines } = recordingLog();
    await takeBack({
      nameServers: ['127.0.0.1:1', `127.0.0.1:${young.port}`, `127.0.0.1:${nameServer.port}`],
      ...{ clusterName: 'c', brokerName: 'a', tls: () => undefined, log },
      tables: { offsets: context.offsets, delayOffsets },
      queueEnd: () => 50,
      keepTimers: (acted) => kept.push(...acted),
    });
    for (const one of [nameServer, young]) await one.close();
    return lines.map((line) => line.message);
  };
  const known = () => [
    [0, 1, 2].map((queueId) => context.offsets.query('g', 't', queueId)),
    [1, 2, 3].map((level) => delayOffsets.get(level)),
  ];
  const before = known();
  const at = `"127.0.0.1:${slave.port}"`;
  for (const members of [[], [`0:${at}`, `1:${at}`], ['1:"nonsense"']])
    assert.equal(await take(...members), []);
  assert.match((await take('1:"127.0.0.1:1"')).join(), 'some messages may come twice');
  assert.equal(known(), before);
  assert.match((await take(`2:"127.0.0.1:1"`, `1:${at}`)).join(), 'how far it has come');
  assert.equal(known(), [
    [5, 8, 50],
    [7, 9, 50],
  ]);
  assert.equal(context.offsets.goneOn('g', 't'), [1, 2]);
  assert.equal(kept, [
    [700, 5],
    [900, 6],
  ]);
  await slave.close();
});

test('levels that never had a message are not taken over, however many a master names', () => {
  const setup = setUp();
  const delayOffsets = new DelayOffsets(setup.directory, setup.settings, setup.time);
  delayOffsets.set(5, 3);
  const table = new Map(Array.from({ length: 1_000 }, (_, i) => [i + 1, 7]));
  delayOffsets.follow(table, (level) => (level <= 2 ? 9 : 0));
  const known = [...delayOffsets.entries()].sort(([a], [b]) => a - b);
  assert.equal(known, [
    [1, 7],
    [2, 7],
    [5, 0],
  ]);
});

test.run();
