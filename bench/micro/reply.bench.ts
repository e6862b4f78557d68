/** Answers to sends, the headers of answers to pulls, and those to pops, JSON and binary. */
import { PopReplies, type PopReplyParts } from '../../src/broker/pop/pop-replies.ts';
import { writePullAnswer } from '../../src/broker/pull/pull-reply.ts';
import { SendReply } from '../../src/broker/send/send-reply.ts';
import { Connection } from '../../src/net/connection.ts';
import { OutputPool } from '../../src/net/output-pool.ts';
import { PendingSends, SEND_BINARY } from '../../src/net/pending-sends.ts';
import { ResponseCode } from '../../src/protocol/codes.ts';
import { SERIALIZE_BINARY, SERIALIZE_JSON } from '../../src/protocol/command.ts';
import { QUESTION_BINARY } from '../../src/ring/question-records.ts';
import { FOUND } from '../../src/store/read/pull-reader.ts';
import { fakeSocket, HOST } from './fixtures.ts';
import type { Subject, Suite } from './suite.ts';

const REPLIES = 32;

function benchConnection(): Connection {
  const identity = { slot: 0, generation: 1, host: HOST, remoteAddress: '127.0.0.1:1' };
  return new Connection(fakeSocket, identity, new OutputPool(), 0);
}

function replying(name: string, flags: number, code = 0): Subject {
  const sends = new PendingSends(64);
  const key = new Uint8Array(Buffer.from('7F0000010000A1B20000000000000001'));
  for (let i = 0; i < REPLIES; i++) {
    sends.opaque[i] = 1_000_000_000 + i;
    sends.flags[i] = flags;
    sends.queueId[i] = i & 3;
    sends.queueOffset[i] = 123_456 + i;
    sends.physicalOffset[i] = 5_000_000_000 + i * 1300;
    sends.setKey(i, key, 0, key.length);
  }
  const connection = benchConnection();
  const reply = new SendReply({ storeHost: HOST, regionId: 'DefaultRegion', traceOn: () => true });
  return {
    name,
    batch: REPLIES,
    run: () => {
      for (let i = 0; i < REPLIES; i++) reply.write(connection, sends, i, code);
      connection.flush();
      return REPLIES;
    },
  };
}

function answeringPulls(name: string, serializeType: number): Subject {
  const connection = benchConnection();
  const answer = {
    opaque: 1_000_000_000,
    serializeType,
    code: 0,
    status: FOUND,
    nextBeginOffset: 123_488,
    minOffset: 0,
    maxOffset: 1_234_567,
    suggestedBrokerId: 0,
  };
  return {
    name,
    batch: REPLIES,
    run: () => {
      for (let i = 0; i < REPLIES; i++) writePullAnswer(connection, answer);
      connection.flush();
      return REPLIES;
    },
  };
}

/** With the way from the delivery thread's JSON, but messages of no bytes: those cost the same in either form. */
function answeringPops(name: string, flags: number): Subject {
  const connection = benchConnection();
  const reader = { coldOf: () => [], take: () => 1, copyTo: () => true };
  const parts = { reader, called: () => {}, given: () => {} } as unknown as PopReplyParts;
  const replies = new PopReplies(parts);
  const offsets = Array.from({ length: 8 }, (_, i) => 123_456 + i);
  const records = offsets.flatMap((_, i) => [5_000_000_000 + i * 1300, 1300]);
  const part = { retry: 0, queueId: 3, startOffset: 123_456, offsets, records };
  const times = { popTime: 1_750_000_000_000, invisibleTime: 60_000, reviveQid: 3, restNum: 100 };
  const popped = { code: 0, remark: 'FOUND', topic: 'T', group: 'G', ...times, parts: [part] };
  const bytes = new Uint8Array(Buffer.from(JSON.stringify(popped)));
  const asking = { slot: 0, generation: 1, opaque: 1_000_000_000, flags, askedAt: 0 };
  return {
    name,
    batch: REPLIES,
    run: () => {
      for (let i = 0; i < REPLIES; i++) replies.take(connection, asking, bytes, 0, bytes.length);
      connection.flush();
      return REPLIES;
    },
  };
}

export function open(): Suite {
  return {
    subjects: [
      replying('SendReply.write, JSON', 0),
      replying('SendReply.write, binary', SEND_BINARY),
      replying('SendReply.write, no slave there, JSON', 0, ResponseCode.SLAVE_NOT_AVAILABLE),
      replying('SendReply.write, no slave there, binary', SEND_BINARY, ResponseCode.SLAVE_NOT_AVAILABLE),
      answeringPulls('writePullAnswer, JSON', SERIALIZE_JSON),
      answeringPulls('writePullAnswer, binary', SERIALIZE_BINARY),
      answeringPops('PopReplies.take, 8 messages, JSON', 0),
      answeringPops('PopReplies.take, 8 messages, binary', QUESTION_BINARY),
    ],
  };
}
