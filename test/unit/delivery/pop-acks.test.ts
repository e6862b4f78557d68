// An ack is answered when it is in the log, however often it is said: the first one may be under way, or have failed.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DeliveryFigures } from '../../../src/delivery/figures.ts';
import { Acks, Answer } from '../../../src/delivery/pop/acks.ts';
import type { Checkpoint } from '../../../src/delivery/pop/checkpoint.ts';
import { LiveCheckpoints } from '../../../src/delivery/pop/live-checkpoints.ts';
import { type OrderedParts, OrderedPops, WRITING } from '../../../src/delivery/pop/ordered-pops.ts';
import type { PopContext } from '../../../src/delivery/pop/pop-context.ts';
import type { PopQuestion } from '../../../src/delivery/pop/pop-questions.ts';
import { type PopOffsets, PopStates } from '../../../src/delivery/pop/pop-states.ts';
import { ResponseCode } from '../../../src/protocol/codes.ts';
import { BORN_HOST } from '../../support/messages.ts';
import { FakeTime } from '../metadata/support.ts';

const test = suite('acks that are said again');
const INVISIBLE = 60_000;

/** Puts wait until a test says how they have ended. */
class Rig {
  readonly time = new FakeTime();
  readonly states = new PopStates({
    ...{ ask: () => {}, forgotten: () => {}, dropped: () => {}, now: () => this.time.monotonic() },
  });
  readonly context = {
    figures: new DeliveryFigures(),
    ...{ clock: this.time, timers: this.time, store: {} },
    put: (_: unknown, ended: (result: { status: number }) => void) => this.#puts.push(ended),
    rules: () => ({ timerWheelEnable: true, timerMaxDelaySec: 3_600, timerPrecisionMs: 1_000 }),
    place: { reviveTopic: 'R', brokerName: 'b', bornHost: BORN_HOST },
  } as unknown as PopContext;
  readonly answers: number[] = [];
  readonly #puts: ((result: { status: number }) => void)[] = [];

  get queue() {
    return (this.states.of('T', 'G') as PopOffsets).queue(0);
  }

  get underWay(): number {
    return this.#puts.length;
  }

  end(status: number): void {
    this.#puts.shift()?.({ status });
  }

  asked(): Answer {
    return new Answer({ answer: (status: number) => this.answers.push(status) } as never);
  }
}

class AckRig extends Rig {
  readonly live = new LiveCheckpoints({
    ...{ context: this.context, states: this.states, visible: () => {}, ended: () => {} },
  });
  readonly acks = new Acks({
    ...{ context: this.context, live: this.live, reviveLog: { acknowledge: () => {} } },
  });
  readonly #key = { topic: 'T', group: 'G', queueId: 0, startOffset: 7, popTime: this.time.now() };

  /** Messages at offset 7 and so many more are out. */
  constructor(more: number) {
    super();
    const diffs = Array.from({ length: 1 + more }, (_, i) => i);
    const ck: Checkpoint = {
      ...this.#key,
      ...{ invisibleTime: INVISIBLE, diffs, done: 0, suspend: false, rePuts: 0, logEnd: 1 },
    };
    this.live.add(this.queue, ck, 3);
  }

  ack(...offsets: number[]): void {
    const answer = this.asked();
    this.acks.add({ ...this.#key, offsets }, 3, INVISIBLE, answer);
    answer.done(ResponseCode.SUCCESS);
  }
}

test('one that comes while the first is under way ends as that does', () => {
  for (const [status, code] of [
    [ResponseCode.SUCCESS, ResponseCode.SUCCESS],
    [ResponseCode.SERVICE_NOT_AVAILABLE, ResponseCode.SERVICE_NOT_AVAILABLE],
  ] as const) {
    const rig = new AckRig(0);
    rig.ack(7);
    rig.ack(7);
    rig.acks.put();
    rig.ack(7);
    assert.equal([rig.answers, rig.underWay], [[], 1]);
    rig.end(status);
    assert.equal(rig.answers, [code, code, code]);
  }
});

test('one that comes after the first has failed is put again', () => {
  const rig = new AckRig(1);
  rig.ack(7);
  rig.acks.put();
  rig.ack(8);
  rig.acks.put();
  rig.end(ResponseCode.SERVICE_NOT_AVAILABLE);
  rig.end(ResponseCode.SUCCESS);
  assert.equal(rig.answers, [ResponseCode.SERVICE_NOT_AVAILABLE, ResponseCode.SUCCESS]);
  rig.ack(8);
  assert.equal(rig.answers.slice(2), [ResponseCode.SUCCESS], 'what is in the log is answered at once');
  rig.ack(7);
  assert.is(rig.answers.length, 3, 'though the other of its checkpoint is in the log');
  rig.acks.put();
  rig.end(ResponseCode.SUCCESS);
  rig.ack(7);
  assert.equal(rig.answers.slice(3), [ResponseCode.SUCCESS, ResponseCode.SUCCESS]);
  assert.is(rig.acks.put(), 0);
});

test('several in one are answered when the last of them is in the log, and those that failed are put again', () => {
  const { SUCCESS, SERVICE_NOT_AVAILABLE: FAILED } = ResponseCode;
  const rig = new AckRig(2);
  for (const offset of [7, 8, 9]) {
    rig.ack(offset);
    rig.acks.put();
  }
  rig.end(FAILED);
  rig.ack(7, 8, 9);
  rig.acks.put();
  rig.end(SUCCESS);
  rig.end(SUCCESS);
  assert.equal(rig.answers, [FAILED, SUCCESS, SUCCESS], 'the one that failed is still under way');
  rig.end(SUCCESS);
  assert.equal(rig.answers.slice(3), [SUCCESS]);
  rig.ack(7, 8, 9);
  assert.equal(rig.answers.slice(4), [SUCCESS]);
});

class OrderRig extends Rig {
  readonly ordered = new OrderedPops({
    ...{ context: this.context, states: this.states, queues: { find: () => ({}) }, needsTopic: () => {} },
    freed: () => {},
  } as unknown as OrderedParts);
  readonly #popTime = this.time.now();

  constructor() {
    super();
    this.queue.offset = 7;
    const question = { topic: 'T', group: 'G', invisibleTime: INVISIBLE } as PopQuestion;
    this.ordered.popped(this.queue, question, this.#popTime, [7], () => {});
    this.ordered.journal.put();
    this.end(ResponseCode.SUCCESS);
  }

  ack(): 'done' | 'later' {
    let isWritten = false;
    const written = (isStored: boolean) => {
      isWritten = true;
      this.answers.push(isStored ? ResponseCode.SUCCESS : ResponseCode.SYSTEM_ERROR);
    };
    const outcome = this.ordered.acknowledge(this.queue, 7, this.#popTime, written);
    assert.is(outcome.code, ResponseCode.SUCCESS);
    assert.not.ok(isWritten);
    return outcome === WRITING ? 'later' : 'done';
  }
}

test('of an ordered group too: each waits until the state with it is in the journal', () => {
  const rig = new OrderRig();
  assert.is(rig.ack(), 'later');
  rig.ordered.journal.put();
  assert.is(rig.ack(), 'later', 'the first is under way');
  rig.ordered.journal.put();
  rig.end(ResponseCode.SERVICE_NOT_AVAILABLE);
  rig.end(ResponseCode.SERVICE_NOT_AVAILABLE);
  assert.is(rig.ack(), 'later', 'both have failed');
  rig.ordered.journal.put();
  rig.end(ResponseCode.SUCCESS);
  const failed = ResponseCode.SYSTEM_ERROR;
  assert.equal(rig.answers, [failed, failed, ResponseCode.SUCCESS]);
  assert.is(rig.ack(), 'done');
});

test.run();
