import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DeliveryQuestions } from '../../../src/broker/delivery-questions.ts';
import { EndTransactions } from '../../../src/broker/transaction/end-transaction.ts';
import { givenUpOf, halfOf, replacementOf } from '../../../src/delivery/transaction/half-message.ts';
import { HALF_TOPIC } from '../../../src/lib/names.ts';
import { callOf } from '../../../src/protocol/call-kinds.ts';
import { RequestCode } from '../../../src/protocol/codes.ts';
import { FLAG_ONEWAY, requestCommand, SERIALIZE_BINARY } from '../../../src/protocol/command.ts';
import { encodeCommand } from '../../../src/protocol/command-codec.ts';
import { CUT_ALL, CUT_BLOCKED } from '../../../src/protocol/frame-cutter.ts';
import { RequestView } from '../../../src/protocol/request-view.ts';
import { decodeRecord, type StoredMessage } from '../../../src/record/decode.ts';
import { encodeMessageId } from '../../../src/record/message-id.ts';
import { plainChannel } from '../../../src/ring/channel.ts';
import { Counters } from '../../../src/ring/counters.ts';
import {
  ANSWERED,
  ANSWERED_CODE,
  ANSWERED_HEAD,
  END_HEAD,
  END_LOG_OFFSET,
  END_QUEUE_OFFSET,
  QUESTION_CALL,
  QUESTION_FLAGS,
  QUESTION_OPAQUE,
} from '../../../src/ring/question-records.ts';
import { CountedCalls } from '../../support/counted-calls.ts';
import { fakeConnection } from '../../support/fake-connection.ts';
import { message, request, STORE_HOST, setUp } from './support.ts';

const test = suite('END_TRANSACTION in a network thread');
/** Which request it is, in the flags of its question. */
const CALL = callOf(RequestCode.END_TRANSACTION) << QUESTION_CALL;

const FIELDS = {
  ...{
    producerGroup: 'g',
    tranStateTableOffset: '5',
    commitLogOffset: '4294967296000',
    commitOrRollback: '8',
  },
  ...{ msgId: 'k', transactionId: 'k' },
};

class Rig {
  readonly client = fakeConnection(3, 9);
  readonly up = plainChannel({ ringBytes: 4_096 });
  readonly down = plainChannel({ ringBytes: 4_096 });
  started = 0;
  isConnected = true;
  /** Each request is a turn of its own. */
  publishes = true;
  readonly counted = new CountedCalls();
  readonly questions = new DeliveryQuestions({
    up: this.up.sender,
    down: this.down.receiver,
    counters: Counters.unread(),
    calls: this.counted.calls,
    now: () => 0,
    clock: () => 4,
    connectionOf: () => (this.isConnected ? this.client.connection : undefined),
    touched: () => {},
    needsDelivery: () => {
      this.started++;
    },
  });
  readonly ends = new EndTransactions(this.questions);

  send(fields: Record<string, string>, { flag = 0, opaque = 7, serializeType = 0 } = {}): number {
    const command = requestCommand(RequestCode.END_TRANSACTION, fields);
    const frame = Uint8Array.from(
      encodeCommand({
        ...command,
        flag,
        opaque,
        serializeType: serializeType as typeof command.serializeType,
      }).subarray(4),
    );
    const view = new RequestView();
    assert.ok(view.read(frame, new DataView(frame.buffer), 0, frame.length));
    const outcome = this.ends.handle(this.client.connection, view);
    if (this.publishes) this.questions.publish();
    return outcome;
  }

  /** What the agent gets. */
  taken(): unknown[][] {
    const { receiver } = this.up;
    const taken: unknown[][] = [];
    while (receiver.next()) {
      const { view, bytes, offset, length } = receiver;
      taken.push([
        ...[
          view.getInt32(offset, true),
          view.getInt32(offset + 4, true),
          view.getInt32(offset + QUESTION_OPAQUE, true),
        ],
        view.getInt32(offset + QUESTION_FLAGS, true) ^ CALL,
        ...[view.getFloat64(offset + END_LOG_OFFSET, true), view.getFloat64(offset + END_QUEUE_OFFSET, true)],
        Buffer.from(bytes.subarray(offset + END_HEAD, offset + length)).toString(),
      ]);
    }
    receiver.release();
    return taken;
  }

  answer(code: number, remark: string, opaque = 7, flags = 0): void {
    const text = Buffer.from(remark);
    this.down.sender.post(ANSWERED, ANSWERED_HEAD + text.length, (bytes, view, at) => {
      view.setInt32(at, 3, true);
      view.setInt32(at + 4, 9, true);
      view.setInt32(at + QUESTION_OPAQUE, opaque, true);
      view.setInt32(at + QUESTION_FLAGS, flags | CALL, true);
      view.setInt32(at + ANSWERED_CODE, code, true);
      bytes.set(text, at + ANSWERED_HEAD);
    });
    this.down.sender.publish();
    this.questions.drain();
  }
}

test('an end travels to the agent with all that it says, and its answer back', () => {
  const rig = new Rig();
  assert.is(rig.send(FIELDS), CUT_ALL);
  rig.send(
    { ...FIELDS, commitOrRollback: '12', fromTransactionCheck: 'true' },
    { flag: FLAG_ONEWAY, opaque: 8 },
  );
  rig.send(FIELDS, { serializeType: SERIALIZE_BINARY, opaque: 9 });
  const place = [4_294_967_296_000, 5, 'g'];
  assert.equal(rig.taken(), [
    [3, 9, 7, 4, ...place],
    [3, 9, 8, 9, ...place],
    [3, 9, 9, 6, ...place],
  ]);
  assert.equal([rig.questions.underWay, rig.started], [2, 1]);
  rig.answer(0, '');
  rig.answer(1, 'why', 9, 2);
  const replies = rig.client
    .replies()
    .map(({ code, opaque, remark, serializeType }) => [code, opaque, remark ?? '', serializeType]);
  assert.equal(replies, [
    [0, 7, '', 0],
    [1, 9, 'why', 1],
  ]);
  assert.equal(rig.counted.all, [
    ['END_TRANSACTION', 'SUCCESS', 'at once', 1, 4],
    ['END_TRANSACTION', 'SYSTEM_ERROR', 'at once', 1, 4],
  ]);
  assert.is(rig.questions.underWay, 0);
});

test('an answer for a connection that is gone goes nowhere, and nobody waits for it', () => {
  const rig = new Rig();
  rig.send(FIELDS);
  rig.isConnected = false;
  rig.answer(0, '');
  assert.equal([rig.client.replies(), rig.questions.underWay], [[], 0]);
});

test('an unknown outcome is not passed on, and not answered', () => {
  const rig = new Rig();
  assert.is(rig.send({ ...FIELDS, commitOrRollback: '0' }), CUT_ALL);
  assert.equal([rig.taken(), rig.client.replies(), rig.started], [[], [], 0]);
});

test('what is missing or no number is refused by name; nothing of it reaches the agent', () => {
  const cases: [Record<string, string | undefined>, RegExp][] = [
    [{ commitOrRollback: undefined }, /commitOrRollback/],
    [{ commitOrRollback: 'x' }, /commitOrRollback/],
    [{ commitOrRollback: '4' }, /must be 0/],
    [{ tranStateTableOffset: undefined }, /tranStateTableOffset/],
    [{ commitLogOffset: '1.5' }, /commitLogOffset/],
    [{ producerGroup: undefined }, /producer group/],
    [{ producerGroup: 'g'.repeat(256) }, /producer group/],
  ];
  for (const [change, remark] of cases) {
    const rig = new Rig();
    const fields = Object.entries({ ...FIELDS, ...change }).filter(([, value]) => value !== undefined);
    rig.send(Object.fromEntries(fields) as Record<string, string>);
    rig.send(Object.fromEntries(fields) as Record<string, string>, { flag: FLAG_ONEWAY });
    const replies = rig.client.replies();
    assert.equal([replies.length, replies[0]?.code, rig.taken()], [1, 1, []], JSON.stringify(change));
    assert.match(replies[0]?.remark ?? '', remark);
  }
});

test('a full ring blocks the connection, and loses nothing', () => {
  const rig = new Rig();
  let sent = 0;
  while (rig.send(FIELDS, { opaque: sent }) === CUT_ALL) sent++;
  assert.is(rig.send(FIELDS), CUT_BLOCKED);
  assert.is(rig.questions.underWay, sent);
  assert.equal(
    rig.taken().map(([, , opaque]) => opaque),
    Array.from({ length: sent }, (_, i) => i),
  );
  assert.is(rig.send(FIELDS), CUT_ALL);
});

test('323 puts back what was given up, and only what lies in its queue', async () => {
  const setup = setUp();
  const properties = new Map([
    ['TRAN_MSG', 'true'],
    ['PGROUP', 'g'],
    ['UNIQ_KEY', 'k'],
  ]);
  const half = decodeRecord(setup.store.append(halfOf(message({ properties })), 1).record) as StoredMessage;
  const givenUp = setup.store.append(
    { ...givenUpOf(half), properties: replacementOf(half, 15).properties },
    1,
  );
  const resume = (position: number) =>
    setup.ask(request(323, { msgId: encodeMessageId(STORE_HOST, position), topic: 'any' }));
  assert.is((await resume(givenUp.entry.physicalOffset))?.code, 0);
  const [put] = setup.put.messages;
  assert.equal([put?.topic, put?.properties.get('TRANSACTION_CHECK_TIMES')], [HALF_TOPIC, '0']);
  assert.not.ok(put?.properties.has('TRAN_PREPARED_QUEUE_OFFSET'));
  const refusedAt = async (position: number) => (await resume(position))?.remark ?? '';
  const plain = setup.store.append(message({ properties: half.properties }), 1);
  assert.match(await refusedAt(plain.entry.physicalOffset), /no half message/);
  assert.match(await refusedAt(10_000_000), /no message has/);
  // The image of a half message in some body, whose place its sender has foreseen.
  const { readQueue } = setup.store;
  setup.store.readQueue = (...where) => (where[0] === HALF_TOPIC ? [] : readQueue.apply(setup.store, where));
  assert.match(await refusedAt(half.physicalOffset), /no message has/);
  assert.is(setup.put.messages.length, 1);
});

test('who is to end is shown what was asked before, and who begins is woken', () => {
  const rig = new Rig();
  rig.publishes = false;
  rig.send(FIELDS);
  assert.is(rig.taken().length, 0, 'the turn is not over');
  rig.questions.deliveryEnds();
  assert.is(rig.taken().length, 1);
  rig.send(FIELDS);
  assert.is(rig.started, 2);
});

test.run();
