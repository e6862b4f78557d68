/** The few requests that a run makes itself, the same way at both brokers. */
import net from 'node:net';
import { type RemotingCommand, SERIALIZE_JSON } from '../../src/protocol/command.ts';
import { decodeCommand, encodeCommand } from '../../src/protocol/command-codec.ts';
import { cutFrames, FrameCutter } from '../../src/protocol/frame-cutter.ts';

const SEND_MESSAGE = 10;
const UPDATE_AND_CREATE_TOPIC_LIST = 18;
const GET_BROKER_RUNTIME_INFO = 28;
const GET_BROKER_HA_STATUS = 907;

const ANSWER_MILLIS = 30_000;
/** Topics in one request. */
const TOPICS_AT_ONCE = 500;

function request(code: number, fields: Record<string, string>, body?: Buffer): RemotingCommand {
  return {
    code,
    language: 'JAVA',
    version: 513,
    opaque: 1,
    flag: 0,
    remark: undefined,
    fields,
    body,
    serializeType: SERIALIZE_JSON,
  };
}

function call(port: number, command: RemotingCommand): Promise<RemotingCommand> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: '127.0.0.1', port });
    const cutter = new FrameCutter();
    const timer = setTimeout(() => socket.destroy(new Error('no answer in time')), ANSWER_MILLIS);
    socket.on('connect', () => socket.write(encodeCommand(command)));
    socket.on('data', (chunk) => {
      cutFrames(cutter, chunk, (frame) => {
        resolve(decodeCommand(frame));
        socket.destroy();
      });
    });
    socket.on('error', reject);
    socket.on('close', () => {
      clearTimeout(timer);
      reject(new Error('the broker closed the connection'));
    });
  });
}

export async function createTopics(port: number, names: readonly string[], queues: number): Promise<void> {
  for (let from = 0; from < names.length; from += TOPICS_AT_ONCE) {
    const topicConfigList = names.slice(from, from + TOPICS_AT_ONCE).map((topicName) => ({
      topicName,
      readQueueNums: queues,
      writeQueueNums: queues,
      perm: 6,
      topicFilterType: 'SINGLE_TAG',
      topicSysFlag: 0,
      order: false,
    }));
    const body = Buffer.from(JSON.stringify({ topicConfigList }));
    const answer = await call(port, request(UPDATE_AND_CREATE_TOPIC_LIST, {}, body));
    if (answer.code !== 0)
      throw new Error(`topic ${names[from]} was refused: code ${answer.code}, ${answer.remark ?? ''}`);
  }
}

export async function runtimeInfo(port: number): Promise<Record<string, string>> {
  const answer = await call(port, request(GET_BROKER_RUNTIME_INFO, {}));
  if (answer.code !== 0 || answer.body === undefined)
    throw new Error(`no runtime info: code ${answer.code}, ${answer.remark ?? ''}`);
  return (JSON.parse(Buffer.from(answer.body).toString()) as { table: Record<string, string> }).table;
}

/** Where the broker's log ends. */
export async function logEnd(port: number): Promise<number> {
  const end = Number((await runtimeInfo(port))['commitLogMaxOffset']);
  if (Number.isNaN(end)) throw new Error('the broker does not say where its log ends');
  return end;
}

/** A slave as its master sees it. */
export interface SlaveStatus {
  /** Bytes of the master's log that it has not acknowledged. */
  diff: number;
  /** It is near enough to the master's end to be waited for. */
  inSync: boolean;
}

/** The slaves that are connected to this master. */
export async function slavesOf(port: number): Promise<SlaveStatus[]> {
  const { code, body, remark } = await call(port, request(GET_BROKER_HA_STATUS, {}));
  if (code !== 0 || body === undefined) throw new Error(`no state of slaves: code ${code}, ${remark ?? ''}`);
  return (
    (JSON.parse(Buffer.from(body).toString()) as { haConnectionInfo?: SlaveStatus[] }).haConnectionInfo ?? []
  );
}

/** Whether the broker accepts a message now. */
export async function acceptsMessage(port: number, topic: string): Promise<boolean> {
  const fields = {
    producerGroup: 'ringmq_bench_probe',
    topic,
    defaultTopic: 'TBW102',
    defaultTopicQueueNums: '4',
    queueId: '0',
    sysFlag: '0',
    bornTimestamp: String(Date.now()),
    flag: '0',
    properties: 'WAIT\u0001true\u0002',
    reconsumeTimes: '0',
    unitMode: 'false',
    batch: 'false',
  };
  try {
    return (await call(port, request(SEND_MESSAGE, fields, Buffer.from('probe')))).code === 0;
  } catch {
    return false;
  }
}
