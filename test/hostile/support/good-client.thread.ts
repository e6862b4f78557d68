/**
 * A good client on a thread of its own, so that what the hostile ones cost here does not count as the servers' time. It
 * sends, pulls, commits and asks, one after the other, and knows what each answer must be.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { decodeRecord } from '../../../src/record/decode.ts';
import { emptyReport, type GoodClientStart } from './good-client.ts';
import { longestWait, processorWaits } from './processor-waits.ts';
import { Talk } from './talk.ts';
import type { WireAnswer, WireRequest } from './wire.ts';

const TOPIC = 'good-topic';
const GROUP = 'good-group';
const CLIENT = 'good-client';
const ANSWER_MS = 60_000;
const RECORD_SIZE_BYTES = 4;
/** A fresh connection every so many rounds: new clients must get in as well. */
const ROUNDS_PER_CONNECTION = 25;
const PAUSE_MS = 2;
const PULL_WAITS = 2;
const PULL_SUBSCRIPTION = 4;

const { broker, nameServer, pids } = workerData as GoodClientStart;
const port = parentPort as NonNullable<typeof parentPort>;

let report = emptyReport();
let stopping = false;
let toBroker: Talk | undefined;
let toNameServer: Talk | undefined;
/** Messages acknowledged so far: the next one must get this queue offset. */
let sent = 0;

port.on('message', (message: 'report' | 'stop') => {
  if (message === 'stop') stopping = true;
  port.postMessage(report);
  report = emptyReport();
});

function wrong(what: string, answer: WireAnswer | undefined): void {
  const told =
    answer === undefined
      ? 'no answer'
      : `code ${answer.code} ${answer.remark} ${JSON.stringify(answer.fields)}`;
  if (report.wrong.length < 20) report.wrong.push(`${what}: ${told.slice(0, 500)}`);
}

async function timed<T>(what: string, action: () => Promise<T>): Promise<T> {
  const waits = processorWaits(pids);
  const start = performance.now();
  const result = await action();
  const ms = performance.now() - start;
  report.times.push(ms);
  if (ms > report.slowestOfServers.ms) {
    const own = ms - longestWait(waits, pids);
    if (own > report.slowestOfServers.ms) report.slowestOfServers = { what, ms: own };
  }
  if (ms > report.slowest.ms) report.slowest = { what, ms };
  return result;
}

async function ask(
  what: string,
  talk: Talk,
  request: WireRequest,
  isRight: (answer: WireAnswer) => boolean,
): Promise<boolean> {
  const answer = await timed(what, () => talk.ask(request, ANSWER_MS));
  const right = answer !== undefined && isRight(answer);
  if (!right) wrong(what, answer);
  return right;
}

const queue = { topic: TOPIC, queueId: '0' };

async function sendAndPull(talk: Talk): Promise<void> {
  const offset = sent;
  const body = Buffer.from(`good message ${offset} ${'.'.repeat(offset % 1000)}`);
  const send: WireRequest = {
    code: 310,
    binary: offset % 2 === 0,
    fields: {
      ...{
        a: 'good-producers',
        b: TOPIC,
        c: 'TBW102',
        d: '1',
        e: '0',
        f: '0',
        g: String(Date.now()),
        h: '0',
      },
      ...{
        i: `UNIQ_KEY\u0001good-${offset}\u0002KEYS\u0001good-${offset}\u0002`,
        j: '0',
        k: 'false',
        m: 'false',
      },
    },
    body,
  };
  const isSent = (answer: WireAnswer) =>
    answer.code === 0 && answer.fields['queueOffset'] === String(offset) && answer.fields['queueId'] === '0';
  if (!(await ask('send', talk, send, isSent))) return;
  sent += 1;
  const fields = {
    ...{ consumerGroup: GROUP, ...queue, queueOffset: String(offset), maxMsgNums: '32', commitOffset: '0' },
    sysFlag: String(PULL_WAITS | PULL_SUBSCRIPTION),
    ...{ suspendTimeoutMillis: '15000', subscription: '*', subVersion: '0', expressionType: 'TAG' },
  };
  const holds = ({ code, body: records, fields: told }: WireAnswer) =>
    code === 0 && told['nextBeginOffset'] === String(offset + 1) && isRecord(records, body, offset);
  await ask('pull', talk, { code: 11, fields, binary: offset % 3 === 0 }, holds);
}

/** One stored message, exactly this one. */
function isRecord(bytes: Buffer, body: Buffer, offset: number): boolean {
  if (bytes.length < RECORD_SIZE_BYTES || bytes.readInt32BE(0) !== bytes.length) return false;
  const record = decodeRecord(bytes);
  return record !== undefined && Number(record.queueOffset) === offset && body.equals(record.body);
}

async function askAround(talk: Talk, names: Talk): Promise<void> {
  await ask('max offset', talk, { code: 30, fields: queue }, (answer) => {
    return answer.code === 0 && answer.fields['offset'] === String(sent);
  });
  const progress = { consumerGroup: GROUP, ...queue };
  const commit = { code: 15, fields: { ...progress, commitOffset: String(sent) } };
  await ask('commit', talk, commit, ({ code }) => code === 0);
  await ask('committed', talk, { code: 14, fields: progress }, (answer) => {
    return answer.code === 0 && answer.fields['offset'] === String(sent);
  });
  await ask('route', names, { code: 105, fields: { topic: TOPIC } }, ({ code, body }) => {
    return code === 0 && body.includes(`"${broker}"`);
  });
}

async function heartbeat(talk: Talk): Promise<void> {
  const subscriptionDataSet = [{ topic: TOPIC, subString: '*', expressionType: 'TAG', subVersion: 1 }];
  const body = Buffer.from(
    JSON.stringify({
      clientID: CLIENT,
      producerDataSet: [{ groupName: 'good-producers' }],
      consumerDataSet: [{ groupName: GROUP, consumeType: 'CONSUME_PASSIVELY', subscriptionDataSet }],
    }),
  );
  await ask('heartbeat', talk, { code: 34, body }, ({ code }) => code === 0);
  await ask('members', talk, { code: 38, fields: { consumerGroup: GROUP } }, (answer) => {
    return answer.code === 0 && answer.body.includes(`"${CLIENT}"`);
  });
}

async function connected(what: string, address: string): Promise<Talk> {
  const talk = await timed(`connect to the ${what}`, () => Talk.open(address));
  if (talk.closed) wrong(`connect to the ${what}`, undefined);
  return talk;
}

async function round(): Promise<void> {
  if (report.rounds % ROUNDS_PER_CONNECTION === 0 || toBroker?.closed || toNameServer?.closed) {
    if (toBroker?.closed) wrong('the broker closed the connection', undefined);
    if (toNameServer?.closed) wrong('the name server closed the connection', undefined);
    toBroker?.destroy();
    toNameServer?.destroy();
    toBroker = await connected('broker', broker);
    toNameServer = await connected('name server', nameServer);
    await heartbeat(toBroker);
  }
  if (toBroker === undefined || toNameServer === undefined) return;
  await sendAndPull(toBroker);
  await askAround(toBroker, toNameServer);
  report.rounds += 1;
}

while (!stopping) {
  await round();
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}
toBroker?.destroy();
toNameServer?.destroy();
port.close();
