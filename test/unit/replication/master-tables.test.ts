/** What a slave takes over from its master besides the log, from a master that answers as the test wants. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MasterTables } from '../../../src/broker/follow/master-tables.ts';
import type { Tables } from '../../../src/broker/tables.ts';
import { TIMER_TOPIC } from '../../../src/lib/names.ts';
import { newGroupConfig } from '../../../src/metadata/group-config.ts';
import type { OffsetTable } from '../../../src/metadata/offsets.ts';
import { RequestCode, ResponseCode } from '../../../src/protocol/codes.ts';
import { type RemotingCommand, responseTo } from '../../../src/protocol/command.ts';
import { entriesOf } from '../../../src/protocol/json-fields.ts';
import type { RocketJson } from '../../../src/protocol/rocketmq-json.ts';
import { type CommandServer, startCommandServer } from '../../../src/remoting/command-server.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { until } from '../../support/sockets-rig.ts';

const {
  GET_ALL_CONSUMER_OFFSET,
  GET_ALL_DELAY_OFFSET,
  GET_ALL_MESSAGE_REQUEST_MODE,
  GET_ALL_SUBSCRIPTIONGROUP_CONFIG,
  GET_ALL_TOPIC_CONFIG,
  GET_BROKER_HA_STATUS,
  GET_BROKER_RUNTIME_INFO,
  GET_MAX_OFFSET,
  GET_TIMER_CHECK_POINT,
  GET_OFFSETS_SINCE,
  GET_TOPIC_PURGES,
  UPDATE_AND_CREATE_SUBSCRIPTIONGROUP,
  UPDATE_CONSUMER_OFFSET,
} = RequestCode;

const SOUND: [code: number, body: string][] = [
  [GET_BROKER_RUNTIME_INFO, '{"table":{"commitLogMinOffset":"1073741824"}}'],
  [GET_BROKER_HA_STATUS, '{"haClientRuntimeInfo":{},"master":true,"masterCommitLogMaxOffset":77}'],
  [GET_ALL_TOPIC_CONFIG, '{"topicConfigTable":{"T":{"topicName":"T"}},"dataVersion":{"counter":1}}'],
  [GET_ALL_SUBSCRIPTIONGROUP_CONFIG, '{"subscriptionGroupTable":{},"dataVersion":{"counter":2}}'],
  // RocketMQ does not know it.
  [GET_OFFSETS_SINCE, 'unknown'],
  // Bare numbers as keys, as RocketMQ writes them.
  [GET_ALL_CONSUMER_OFFSET, '{"offsetTable":{"T@G":{0:5,1:7},"T@H":{"0":9}}}'],
  [GET_ALL_DELAY_OFFSET, '{"offsetTable":{1:4,3:90}}'],
  [GET_ALL_MESSAGE_REQUEST_MODE, '{"messageRequestModeMap":{"T":{"G":{"mode":"POP"}}}}'],
];

interface Context {
  answers: Map<number, string>;
  asked: RemotingCommand[];
  server: CommandServer;
  rig: Rig;
}

class Rig {
  readonly lines = recordingLog();
  readonly followed: unknown[] = [];
  readonly offsets = new Map<string, Map<number, number>>();
  rounds = 0;
  /** Hears of each offset that is taken over. */
  onCommit = () => {};
  readonly ends: number[] = [];
  isEmpty = false;
  /** Where the own log ends, and the queue of timed messages. */
  end = 77;
  timerEnd = 20;
  readonly beginnings: number[] = [];
  /** Of the own log. */
  durable = 77;
  readonly purged: string[] = [];
  readonly timers: string[] = [];
  readonly delays = new Map<number, number>();
  readonly tables: MasterTables;
  readonly #table: Pick<OffsetTable, 'onCommit'>;

  constructor() {
    const follow = (what: string) => (table: unknown) => void this.followed.push([what, table]);
    const offsets: Pick<OffsetTable, 'onCommit'> = { onCommit: undefined };
    this.#table = offsets;
    const tables = {
      topics: { follow: follow('topics') },
      groups: { follow: follow('groups'), get: newGroupConfig },
      offsets: Object.assign(offsets, {
        queuesOf: (group: string, topic: string) => this.offsets.get(`${topic}@${group}`),
        commit: (group: string, topic: string, queueId: number, offset: number) => {
          this.onCommit();
          const name = `${topic}@${group}`;
          this.offsets.set(name, (this.offsets.get(name) ?? new Map()).set(queueId, offset));
        },
      }),
      delayOffsets: {
        follow: (table: RocketJson | undefined, end: (level: number) => number) => {
          for (const [level, offset] of entriesOf(table))
            this.delays.set(Number(level), Math.min(Number(offset), end(Number(level))));
        },
      },
      requestModes: { follow: follow('modes') },
    };
    this.tables = new MasterTables({
      tables: tables as unknown as Tables,
      tls: () => undefined,
      log: this.lines.log,
      endsAt: (position) => this.ends.push(position),
      end: () => this.end,
      isEmpty: () => this.isEmpty,
      beginsAt: (position) => this.beginnings.push(position),
      endOfTurn: () => this.rounds++,
      durable: () => this.durable,
      queueEnd: (topic) => (topic === TIMER_TOPIC ? this.timerEnd : 20),
      takeTimers: (check) => this.timers.push(Buffer.from(check).toString()),
      purge: async (topic, position) => void this.purged.push(`${topic} ${position}`),
    });
  }

  /** A consumer commits at this broker. */
  commitHere(group: string, topic: string, queueId: number, offset: number): void {
    const name = `${topic}@${group}`;
    this.offsets.set(name, (this.offsets.get(name) ?? new Map()).set(queueId, offset));
    this.#table.onCommit?.(group, topic, queueId, offset);
  }

  /** The outcome of one more round. */
  async round(): Promise<void> {
    const before = this.rounds;
    this.tables.now();
    await until('a round to end', () => this.rounds > before);
  }

  get told(): string[] {
    return this.lines.lines.map(({ fields, message }) => `${message}: ${fields['reason'] ?? ''}`);
  }
}

const test = suite<Context>('tables of the master');

/** Of a table of topics that does not fit into one answer: `page VERSION TOPIC…`, one topic at a time. */
function pageOf(request: RemotingCommand, told: string): RemotingCommand {
  const [, version, ...topics] = told.split(' ');
  const first = request.fields['topicSeq'];
  if (first === undefined) return responseTo(request, ResponseCode.SYSTEM_ERROR, 'too large');
  const topic = topics[Number(first)];
  const counter = version === 'moving' ? first : 1;
  const table = topic === undefined ? '' : `"${topic}":{"topicName":"${topic}"}`;
  const body = Buffer.from(`{"topicConfigTable":{${table}},"dataVersion":{"counter":${counter}}}`);
  const answer = responseTo(request, ResponseCode.SUCCESS, undefined, {
    totalTopicNum: String(topics.length),
  });
  return { ...answer, body };
}

test.before.each(async (context) => {
  context.answers = new Map(SOUND);
  context.answers.set(UPDATE_AND_CREATE_SUBSCRIPTIONGROUP, '');
  context.asked = [];
  context.server = await startCommandServer({
    host: '127.0.0.1',
    port: 0,
    handler: (request) => {
      context.asked.push(request);
      if (context.answers.get(request.code) === 'no such group')
        return Promise.resolve(responseTo(request, ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST, 'none'));
      const body = context.answers.get(request.code);
      if (body?.startsWith('page ')) return Promise.resolve(pageOf(request, body));
      if (body === 'unknown')
        return Promise.resolve(responseTo(request, ResponseCode.REQUEST_CODE_NOT_SUPPORTED, 'none'));
      if (body === undefined)
        return Promise.resolve(responseTo(request, ResponseCode.SYSTEM_ERROR, 'not now'));
      const fields = request.code === GET_MAX_OFFSET ? { offset: body } : {};
      const answer = responseTo(request, ResponseCode.SUCCESS, undefined, fields);
      return Promise.resolve({ ...answer, body: Buffer.from(body) });
    },
  });
  context.rig = new Rig();
  context.rig.tables.follow(`127.0.0.1:${context.server.port}`);
  await until('the first round', () => context.rig.rounds > 0);
});

test.after.each(async ({ rig, server }) => {
  rig.tables.close();
  await server.close();
});

test('topics, groups and offsets are taken over, and only offsets that are others are committed', async ({
  rig,
}) => {
  assert.is(JSON.stringify(rig.followed.slice(0, 2)), '[["topics",{"T":{"topicName":"T"}}],["groups",{}]]');
  assert.equal(
    [...rig.offsets].map(([name, queues]) => [name, [...queues]]),
    [
      [
        'T@G',
        [
          [0, 5],
          [1, 7],
        ],
      ],
      ['T@H', [[0, 9]]],
    ],
  );
  assert.equal(
    [...rig.delays],
    [
      [1, 4],
      [3, 20],
    ],
    'no further than the queue goes',
  );
  assert.equal(rig.told, []);
  assert.is(rig.ends[0], 77);
});

test('topics that do not fit into one answer are asked for in parts, of one version', async ({
  rig,
  answers,
}) => {
  const before = rig.followed.length;
  answers.set(GET_ALL_TOPIC_CONFIG, 'page still A B C');
  await rig.round();
  await rig.round();
  const taken = rig.followed.slice(before) as [string, unknown][];
  const topics = taken.filter(([what]) => what === 'topics').map(([, table]) => table);
  assert.equal(topics, [
    new Map(
      ['A', 'B', 'C'].map((topicName) => [topicName, Object.assign(Object.create(null), { topicName })]),
    ),
  ]);
  assert.equal(rig.told, []);
  answers.set(GET_ALL_TOPIC_CONFIG, 'page moving A B');
  await rig.round();
  assert.match(rig.told[0] ?? '', "the master's topics have changed while they were told");
});

test('what says the same as before is not taken over again', async ({ rig, answers }) => {
  const before = rig.followed.length;
  rig.offsets.clear();
  await rig.round();
  assert.equal([rig.followed.length, rig.offsets.size], [before, 0]);
  answers.set(GET_ALL_MESSAGE_REQUEST_MODE, '{"messageRequestModeMap":{}}');
  await rig.round();
  assert.is(JSON.stringify(rig.followed.slice(before)), '[["modes",{}]]');
});

test('progress waits until all is durable here that the log held then; of new queues it tells as far as they go', async ({
  rig,
  answers,
}) => {
  rig.durable = 76;
  answers.set(GET_ALL_CONSUMER_OFFSET, '{"offsetTable":{"T@G":{0:6,2:30}}}');
  answers.set(GET_ALL_DELAY_OFFSET, '{"offsetTable":{1:5}}');
  answers.set(GET_TIMER_CHECK_POINT, 'check');
  answers.set(GET_TOPIC_PURGES, '{"T":40,"U":99}');
  const seen = () => [rig.offsets.get('T@G')?.get(0), rig.offsets.get('T@G')?.get(2), rig.delays.get(1)];
  for (let i = 0; i < 2; i++) await rig.round();
  assert.equal([seen(), rig.timers, rig.purged], [[5, 20, 4], [], []]);
  // What the master says meanwhile must not put it off for ever.
  answers.set(GET_ALL_CONSUMER_OFFSET, '{"offsetTable":{"T@G":{0:7,2:31}}}');
  answers.set(GET_BROKER_HA_STATUS, '{"haClientRuntimeInfo":{},"masterCommitLogMaxOffset":90}');
  rig.durable = 77;
  await rig.round();
  assert.equal([seen(), rig.timers, rig.purged], [[6, 30, 5], ['check'], ['T 40']]);
  rig.durable = 90;
  await rig.round();
  assert.equal([seen(), rig.timers.length], [[7, 31, 5], 1]);
});

test('a request that the master does not know is not made again until it was away', async ({
  rig,
  answers,
  asked,
}) => {
  const count = () => asked.filter(({ code }) => code === GET_TOPIC_PURGES).length;
  answers.set(GET_TOPIC_PURGES, 'unknown');
  await rig.round();
  const before = count();
  await rig.round();
  assert.is(count(), before);
  answers.delete(GET_ALL_TOPIC_CONFIG);
  await rig.round();
  await rig.round();
  answers.set(GET_ALL_TOPIC_CONFIG, SOUND[2]?.[1] ?? '');
  await rig.round();
  assert.is(count(), before + 1);
});

test('it rests for a second, and longer after large answers only', async ({ rig, answers }) => {
  await rig.round();
  assert.is(rig.tables.rest, 1_000);
  const topics = Array.from({ length: 50_000 }, (_, n) => `"topic-${n}":{"topicName":"topic-${n}"}`).join();
  const table = `{"topicConfigTable":{${topics}},"dataVersion":{"counter":3}}`;
  answers.set(GET_ALL_TOPIC_CONFIG, table);
  await rig.round();
  const others = rig.tables.rest - 1_000 - Math.floor(table.length / 10_000);
  assert.ok(others === 0 || others === 1, `${rig.tables.rest} ms after ${table.length} bytes`);
  answers.set(GET_ALL_TOPIC_CONFIG, SOUND[2]?.[1] ?? '');
  await rig.round();
  assert.is(rig.tables.rest, 1_000);
});

test('who has nothing asks where the log begins, and nobody else does', async ({ rig }) => {
  assert.equal(rig.beginnings, []);
  rig.isEmpty = true;
  await rig.round();
  assert.equal(rig.beginnings, [1_073_741_824]);
});

test('what is committed here reaches the master, with its group where that is new there', async ({
  rig,
  answers,
  asked,
}) => {
  answers.set(UPDATE_CONSUMER_OFFSET, 'no such group');
  rig.commitHere('G', 'T', 0, 9);
  await rig.round();
  const sent = asked.splice(0).map(({ code }) => code);
  const order: number[] = [
    UPDATE_CONSUMER_OFFSET,
    UPDATE_AND_CREATE_SUBSCRIPTIONGROUP,
    UPDATE_CONSUMER_OFFSET,
  ];
  assert.equal(
    sent.filter((code) => order.includes(code)),
    order,
  );
  assert.equal(rig.told.length, 1, 'that it is still refused is told');
  answers.set(UPDATE_CONSUMER_OFFSET, '');
  await rig.round();
  await rig.round();
  const commits = asked.filter(({ code }) => code === UPDATE_CONSUMER_OFFSET);
  assert.equal(
    commits.map(({ fields }) => [
      fields['consumerGroup'],
      fields['topic'],
      fields['queueId'],
      fields['commitOffset'],
    ]),
    [['G', 'T', '0', '9']],
  );
  assert.is(rig.told.length, 1);
});

/** What the master was told of offsets, since this was asked last. */
function commitsIn(asked: RemotingCommand[]): string[] {
  return asked
    .splice(0)
    .flatMap(({ code, fields: { consumerGroup, topic, queueId, commitOffset } }) =>
      code === UPDATE_CONSUMER_OFFSET ? [`${consumerGroup} ${topic} ${queueId}: ${commitOffset}`] : [],
    );
}

test('a master that lacks the end of this log is told of no offset beyond its queue', async ({
  rig,
  answers,
  asked,
}) => {
  answers.set(UPDATE_CONSUMER_OFFSET, '');
  rig.end = 78;
  rig.commitHere('G', 'T', 0, 12);
  await rig.round();
  assert.equal(commitsIn(asked), [], 'it does not say where the queue ends');
  answers.set(GET_MAX_OFFSET, '9');
  rig.commitHere('G', 'T', 1, 8);
  await rig.round();
  assert.equal(commitsIn(asked), ['G T 0: 9', 'G T 1: 8']);
  rig.end = 77;
  rig.commitHere('G', 'T', 0, 13);
  await rig.round();
  assert.equal(commitsIn(asked), ['G T 0: 13']);
});

test('offsets that are refused are told of once, however many, and again when others were taken meanwhile', async ({
  rig,
  answers,
  asked,
}) => {
  answers.delete(UPDATE_CONSUMER_OFFSET);
  for (const group of ['one', 'two', 'three']) rig.commitHere(group, 'T', 0, 9);
  for (let i = 0; i < 3; i++) await rig.round();
  assert.is(rig.told.length, 1);
  answers.set(UPDATE_CONSUMER_OFFSET, '');
  await rig.round();
  answers.delete(UPDATE_CONSUMER_OFFSET);
  rig.commitHere('one', 'T', 0, 10);
  await rig.round();
  assert.is(rig.told.length, 2);
  asked.length = 0;
  rig.offsets.delete('T@one');
  await rig.round();
  assert.equal(commitsIn(asked), [], 'what has gone with its group is not told');
});

test('what the master has been told does not go back with a table from before', async ({ rig, answers }) => {
  const offset = () => rig.offsets.get('T@G')?.get(0);
  rig.durable = 70;
  answers.set(GET_ALL_CONSUMER_OFFSET, '{"offsetTable":{"T@G":{0:6}}}');
  answers.set(UPDATE_CONSUMER_OFFSET, '');
  rig.commitHere('G', 'T', 0, 9);
  await rig.round();
  answers.set(GET_ALL_CONSUMER_OFFSET, '{"offsetTable":{"T@G":{0:9}}}');
  rig.durable = 77;
  const taken: (number | undefined)[] = [];
  rig.onCommit = () => taken.push(offset());
  await rig.round();
  assert.equal([offset(), taken], [9, []]);
});

test('the checkpoint of timers is asked for where there are timed messages, and only there', async ({
  rig,
  answers,
  asked,
}) => {
  const isAsked = () => asked.splice(0).some(({ code }) => code === GET_TIMER_CHECK_POINT);
  answers.set(GET_TIMER_CHECK_POINT, 'check');
  rig.timerEnd = 0;
  asked.length = 0;
  await rig.round();
  assert.not(isAsked());
  rig.timerEnd = 1;
  await rig.round();
  assert.ok(isAsked());
  assert.equal(rig.timers, ['check']);
});

const REFUSED: [what: string, code: number, body: string | undefined, line: RegExp][] = [
  ['an error', GET_ALL_TOPIC_CONFIG, undefined, /does not tell its topics: SYSTEM_ERROR not now/],
  ['no topics', GET_ALL_TOPIC_CONFIG, '{}', /the master's topics are no table/],
  ['a list', GET_ALL_TOPIC_CONFIG, '[]', /the master's topics are no table/],
  ['a list of topics', GET_ALL_TOPIC_CONFIG, '{"topicConfigTable":[]}', /the master's topics are no table/],
  ['no body', GET_ALL_SUBSCRIPTIONGROUP_CONFIG, '', /^topics, groups and offsets .*: .+/],
  ['no groups', GET_ALL_SUBSCRIPTIONGROUP_CONFIG, '{"x":{}}', /the master's groups are no table/],
  ['no JSON', GET_ALL_CONSUMER_OFFSET, '{"offsetTable":', /^topics, groups and offsets .*: .+/],
];

for (const [what, code, body, line] of REFUSED) {
  test(`${what} for ${code} deletes nothing, is told of once, and its end too`, async ({ rig, answers }) => {
    const before = rig.followed.length;
    const topicsToo = code === GET_ALL_TOPIC_CONFIG ? 0 : 1;
    if (body === undefined) answers.delete(code);
    else answers.set(code, body);
    await rig.round();
    await rig.round();
    assert.is(rig.told.length, 1);
    assert.match(rig.told[0] ?? '', line);
    const taken = rig.followed.slice(before).map((one) => (one as [string])[0]);
    const whole = ['topics'].slice(0, topicsToo);
    // By the second round only: what was the same as before was looked at once.
    assert.equal(taken, whole);
    for (const [sound, text] of SOUND) answers.set(sound, text);
    await rig.round();
    await rig.round();
    assert.equal(rig.told.slice(1), ['topics, groups and offsets of the master are taken over again: ']);
  });
}

test('odd names, numbers and offsets are left out', async ({ rig, answers }) => {
  const before = rig.offsets.size;
  answers.set(
    GET_ALL_CONSUMER_OFFSET,
    '{"offsetTable":{"noAt":{"0":1},"T@N":{"-1":1,"x":1,"0":-5,"1":"y"},"T@O":[1,2],"T@P":null}}',
  );
  await rig.round();
  assert.equal([rig.offsets.size, rig.told], [before, []]);
});

test('a master that is gone is told of once, and another one is asked in its place', async ({
  rig,
  server,
  answers,
}) => {
  await server.close();
  await rig.round();
  await rig.round();
  assert.is(rig.told.length, 1);
  const other = await startCommandServer({
    host: '127.0.0.1',
    port: 0,
    handler: (request) => {
      const told = answers.get(request.code) ?? '';
      const isKnown = told !== 'unknown';
      const code = isKnown ? ResponseCode.SUCCESS : ResponseCode.REQUEST_CODE_NOT_SUPPORTED;
      return Promise.resolve({ ...responseTo(request, code), body: Buffer.from(told) });
    },
  });
  const before = rig.followed.length;
  rig.tables.follow(`127.0.0.1:${other.port}`);
  await until('the other one to be asked', () => rig.followed.length >= before + 2);
  await until('that to be told of', () => rig.told.length === 2);
  rig.tables.close();
  await other.close();
});

test.run();
