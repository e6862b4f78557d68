// An answer to a pop that finds its connection closed goes back to the owner of pops.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DeliveryQuestions, readJson } from '../../../src/broker/delivery-questions.ts';
import { PopReplies, type PopReplyParts } from '../../../src/broker/pop/pop-replies.ts';
import type { Popped } from '../../../src/delivery/pop/pop-questions.ts';
import { plainChannel } from '../../../src/ring/channel.ts';
import { Counters } from '../../../src/ring/counters.ts';
import {
  POP_UNTAKEN,
  POPPED,
  QUESTION_HEAD,
  QUESTION_PARKS,
  writeAsking,
} from '../../../src/ring/question-records.ts';
import { CountedCalls } from '../../support/counted-calls.ts';

const test = suite('answers to pops that find nobody');

test('what was popped is named again, and nothing where nothing was', () => {
  const up = plainChannel({ ringBytes: 4_096 });
  const down = plainChannel({ ringBytes: 4_096 });
  const questions = new DeliveryQuestions({
    ...{ up: up.sender, down: down.receiver, counters: Counters.unread() },
    ...{ calls: new CountedCalls().calls, now: () => 0, clock: () => 0 },
    ...{ connectionOf: () => undefined, touched: () => {}, needsDelivery: () => {} },
  });
  const untaken = (popped: Popped) => questions.untaken(popped);
  const replies = new PopReplies({ untaken } as unknown as PopReplyParts);
  questions.answers(POPPED, replies.take, replies.lost);
  const answer = (popped: Popped) => {
    const text = Buffer.from(JSON.stringify(popped));
    down.sender.post(POPPED, QUESTION_HEAD + text.length, (bytes, view, at) => {
      writeAsking(view, at, { slot: 3, generation: 9, opaque: 1, flags: QUESTION_PARKS, askedAt: 0 });
      bytes.set(text, at + QUESTION_HEAD);
    });
  };
  const rest = { topic: 'T', group: 'G', popTime: 7, invisibleTime: 60_000, reviveQid: 2, restNum: 0 };
  const parts = [{ retry: 0, queueId: 1, startOffset: 5, offsets: [5], records: [100, 50] }];
  answer({ code: 0, remark: '', ...rest, parts });
  answer({ code: 210, remark: '', ...rest, parts: [] });
  down.sender.publish();
  questions.drain();
  questions.publish();
  const { receiver } = up;
  assert.ok(receiver.next());
  assert.is(receiver.type, POP_UNTAKEN);
  const { bytes, offset, length } = receiver;
  const popped = readJson<Popped>(bytes, offset + QUESTION_HEAD, offset + length);
  assert.equal([popped.topic, popped.group, popped.popTime, popped.parts], ['T', 'G', 7, parts]);
  assert.not(receiver.next());
});

test.run();
