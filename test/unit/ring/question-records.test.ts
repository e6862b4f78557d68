/** Records of questions and answers: what is written is what is read, and the fields do not overlap. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ACK_NAMES,
  type AckRecord,
  ANSWERED_HEAD,
  END_HEAD,
  emptyAck,
  emptyAnswered,
  emptyEnd,
  readAck,
  readAnswered,
  readAsking,
  readEnd,
  writeAck,
  writeAnswered,
  writeAsking,
  writeEnd,
} from '../../../src/ring/question-records.ts';

const test = suite('question records');
/** Where the records begin; what is before and behind them stays as it is. */
const AT = 8;
const UNTOUCHED = 0x5a;

const HEAD = { slot: 3, generation: -9, opaque: -2, flags: 0x1234, askedAt: 123_456.75 };

function written(length: number, write: (view: DataView) => void): DataView {
  const bytes = new Uint8Array(AT + length + AT).fill(UNTOUCHED);
  const view = new DataView(bytes.buffer);
  write(view);
  for (const at of [AT - 1, AT + length]) assert.is(bytes[at], UNTOUCHED, `byte ${at - AT} of ${length}`);
  return view;
}

test('ends, answers, and the head of both', () => {
  const end = { ...HEAD, logOffset: 2 ** 40, queueOffset: 2 ** 33 };
  const readEndBack = emptyEnd();
  readEnd(
    written(END_HEAD, (view) => writeEnd(view, AT, end)),
    AT,
    readEndBack,
  );
  assert.equal(readEndBack, end);
  const answered = { ...HEAD, code: 604 };
  const readBack = emptyAnswered();
  readAnswered(
    written(ANSWERED_HEAD, (view) => writeAnswered(view, AT, answered)),
    AT,
    readBack,
  );
  assert.equal(readBack, answered);
});

test('an ack, beside its head', () => {
  const ack: AckRecord = {
    ...{ offset: 2 ** 40, startOffset: 2 ** 39, popTime: 1_700_000_000_001, invisibleTime: 60_000 },
    ...{ queueId: 70_000, reviveQueueId: 999, topicLength: 127, groupLength: 255 },
  };
  const view = written(ACK_NAMES, (to) => {
    writeAsking(to, AT, HEAD);
    writeAck(to, AT, ack);
  });
  const [head, readBack] = [{ ...HEAD, slot: 0, flags: 0 }, emptyAck()];
  readAsking(view, AT, head);
  readAck(view, AT, readBack);
  assert.equal([head, readBack], [HEAD, ack]);
});

test.run();
