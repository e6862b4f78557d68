/** Acknowledgements as network threads ask for them, one or several at a time, of ordered pops and of others. */
import { LastText } from '../../lib/last-text.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import { ACK_NAMES, emptyAck, readAck } from '../../ring/question-records.ts';
import type { Asked } from '../question-server.ts';
import { type Acks, Answer } from './acks.ts';
import type { Ack } from './checkpoint.ts';
import type { Written } from './order-journal.ts';
import { ORDER_REVIVE_QUEUE, type OrderedPops, WRITING } from './ordered-pops.ts';
import type { AcksQuestion } from './pop-questions.ts';
import type { PopQueue, PopStates } from './pop-states.ts';

export interface AckTakerParts {
  acks: Acks;
  ordered: OrderedPops;
  states: PopStates;
}

export class AckTaker {
  readonly #parts: AckTakerParts;
  readonly #ack = emptyAck();
  readonly #topic = new LastText();
  readonly #group = new LastText();

  constructor(parts: AckTakerParts) {
    this.#parts = parts;
  }

  /** One, whose payload begins at `at`. */
  take(asked: Asked, bytes: Uint8Array, view: DataView, at: number): void {
    const ack = this.#ack;
    const names = at + ACK_NAMES;
    readAck(view, at, ack);
    const { offset, startOffset, popTime, invisibleTime, queueId, reviveQueueId } = ack;
    const { topicLength, groupLength } = ack;
    const topic = this.#topic.read(bytes, names, topicLength);
    const group = this.#group.read(bytes, names + topicLength, groupLength);
    const answer = new Answer(asked);
    const one = { topic, group, queueId, startOffset, popTime, offsets: [offset] };
    this.#acknowledge(one, reviveQueueId, invisibleTime, answer);
    answer.done(ResponseCode.SUCCESS);
  }

  takeTogether(asked: Asked, { acks }: AcksQuestion): void {
    const answer = new Answer(asked);
    for (const { reviveQueueId, invisibleTime, ...ack } of acks)
      this.#acknowledge(ack, reviveQueueId, invisibleTime, answer);
    answer.done(ResponseCode.SUCCESS);
  }

  #acknowledge(ack: Ack, reviveQueueId: number, invisibleTime: number, answer: Answer): void {
    const { acks, states } = this.#parts;
    if (reviveQueueId !== ORDER_REVIVE_QUEUE) {
      acks.add(ack, reviveQueueId, invisibleTime, answer);
      return;
    }
    const offsets = states.of(ack.topic, ack.group);
    if (typeof offsets === 'string') {
      answer.fail(ResponseCode.SYSTEM_BUSY, offsets);
      return;
    }
    answer.await();
    // Where the group stands is asked for after a start.
    offsets.whenKnown(() => {
      // Where nothing was popped there is nothing to acknowledge.
      const queue = offsets.queues.get(ack.queueId);
      for (const offset of queue === undefined ? [] : ack.offsets)
        this.#acknowledgeOrdered(queue as PopQueue, offset, ack, answer);
      answer.done(ResponseCode.SUCCESS);
    });
  }

  #acknowledgeOrdered(
    queue: PopQueue,
    offset: number,
    { popTime }: { popTime: number },
    answer: Answer,
  ): void {
    const written: Written = (isWritten, remark) =>
      answer.done(isWritten ? ResponseCode.SUCCESS : ResponseCode.SYSTEM_ERROR, remark);
    const outcome = this.#parts.ordered.acknowledge(queue, offset, popTime, written);
    if (outcome === WRITING) answer.await();
    else if (outcome.code !== ResponseCode.SUCCESS) answer.fail(outcome.code, outcome.remark);
  }
}
