/** The one administrative request that a run needs: the topic, the same way at both brokers. */
import net from 'node:net';
import { type RemotingCommand, SERIALIZE_JSON } from '../../src/protocol/command.ts';
import { decodeCommand, encodeCommand } from '../../src/protocol/command-codec.ts';
import { FrameSplitter } from '../../src/protocol/frame-splitter.ts';

const UPDATE_AND_CREATE_TOPIC = 17;
const ANSWER_MILLIS = 10_000;

function request(code: number, fields: Record<string, string>): RemotingCommand {
  return {
    code,
    language: 'JAVA',
    version: 513,
    opaque: 1,
    flag: 0,
    remark: undefined,
    fields,
    body: undefined,
    serializeType: SERIALIZE_JSON,
  };
}

function call(port: number, command: RemotingCommand): Promise<RemotingCommand> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: '127.0.0.1', port });
    const splitter = new FrameSplitter();
    const timer = setTimeout(() => socket.destroy(new Error('no answer in time')), ANSWER_MILLIS);
    socket.on('connect', () => socket.write(encodeCommand(command)));
    socket.on('data', (chunk) => {
      for (const frame of splitter.push(chunk)) {
        resolve(decodeCommand(frame));
        socket.destroy();
      }
    });
    socket.on('error', reject);
    socket.on('close', () => {
      clearTimeout(timer);
      reject(new Error('the broker closed the connection'));
    });
  });
}

export async function createTopic(port: number, topic: string, queues: number): Promise<void> {
  const fields = {
    topic,
    defaultTopic: 'TBW102',
    readQueueNums: String(queues),
    writeQueueNums: String(queues),
    perm: '6',
    topicFilterType: 'SINGLE_TAG',
    topicSysFlag: '0',
    order: 'false',
  };
  const answer = await call(port, request(UPDATE_AND_CREATE_TOPIC, fields));
  if (answer.code !== 0)
    throw new Error(`topic ${topic} was refused: code ${answer.code}, ${answer.remark ?? ''}`);
}
