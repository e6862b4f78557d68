/** CHANGE_INVISIBLE (200053): a popped message gets another time, by a checkpoint and an ack of the old one. */

import { limitRemark, MAX_LIVE_CHECKPOINTS } from '../../lib/limits.ts';
import { isLiteQueue } from '../../lib/lite-names.ts';
import { ResponseCode, responseName } from '../../protocol/codes.ts';
import { FIELDS } from '../../ring/question-records.ts';
import { isStored } from '../../store/put/put-message.ts';
import { figureKey } from '../figures.ts';
import type { Asked } from '../question-server.ts';
import { laterForm } from '../waiting-form.ts';
import { type Acks, Answer } from './acks.ts';
import { type Checkpoint, checkpointMessage, indexIn } from './checkpoint.ts';
import type { LiveCheckpoints } from './live-checkpoints.ts';
import type { Written } from './order-journal.ts';
import { ORDER_REVIVE_QUEUE, type OrderedPops } from './ordered-pops.ts';
import type { PopContext } from './pop-context.ts';
import type { ChangeQuestion } from './pop-questions.ts';
import type { PopStates } from './pop-states.ts';
import type { ReviveLog } from './revive-log.ts';

export interface ChangeParts {
  context: PopContext;
  states: PopStates;
  live: LiveCheckpoints;
  acks: Acks;
  ordered: OrderedPops;
  reviveLog: Pick<ReviveLog, 'find'>;
}

export class ChangeInvisible {
  readonly #parts: ChangeParts;
  underWay = 0;

  constructor(parts: ChangeParts) {
    this.#parts = parts;
  }

  take(asked: Asked, question: ChangeQuestion): void {
    const { topic, group } = question;
    const { live, context } = this.#parts;
    const offsets = this.#parts.states.of(topic, group);
    if (typeof offsets === 'string') asked.answer(ResponseCode.SYSTEM_BUSY, offsets);
    else if (question.reviveQueueId === ORDER_REVIVE_QUEUE)
      offsets.whenKnown(() => this.#showOrdered(asked, question));
    else if (this.#isOver(question)) asked.answer(ResponseCode.NO_MESSAGE, OVER);
    else if (!live.mayChange(context.acts)) asked.answer(ResponseCode.SYSTEM_BUSY, FULL);
    else this.#change(asked, question);
  }

  #isOver({ offset, ...question }: ChangeQuestion): boolean {
    const { live, reviveLog, context } = this.#parts;
    if (live.isOver(question)) return true;
    const known = live.find(question);
    if (known?.isVisible) return true;
    const ck = known?.ck ?? reviveLog.find(question);
    // One of a process before, which the timer brings shortly before its time: only the receipt tells.
    if (ck === undefined) return question.popTime + question.oldInvisibleTime <= context.clock.now();
    const index = indexIn(ck, offset);
    return index < 0 || (ck.done & (1 << index)) !== 0;
  }

  #showOrdered(
    asked: Asked,
    { topic, group, queueId, offset, popTime, invisibleTime, suspend }: ChangeQuestion,
  ): void {
    const { states, ordered } = this.#parts;
    const queue = states.find(topic, group)?.queues.get(queueId);
    const written: Written = (isWritten, remark) => {
      if (isWritten) answer(asked, popTime, (time ?? popTime) - popTime, ORDER_REVIVE_QUEUE);
      else asked.answer(ResponseCode.SYSTEM_ERROR, remark);
    };
    // As RocketMQ: of other ordered pops it counts as a try all the same.
    const suspends = suspend && isLiteQueue(topic);
    const change: OrderedPops['show'] = (...of) => (suspends ? ordered.suspend(...of) : ordered.show(...of));
    const time = queue && change(queue, offset, popTime, invisibleTime, written);
    if (time === undefined) asked.answer(ResponseCode.NO_MESSAGE, OVER);
  }

  #change(asked: Asked, question: ChangeQuestion): void {
    const { context, states, live, acks } = this.#parts;
    const { topic, group, queueId, offset, reviveQueueId, invisibleTime, suspend } = question;
    const now = context.clock.now();
    // A receipt of the same millisecond would be that of the old one. One of a clock that was ahead, or of nobody's,
    // has no say: its checkpoint would wait in the timer until that time.
    const popTime = question.popTime > now + NEAR_MS ? now : Math.max(now, question.popTime + 1);
    const known = live.find(question);
    // Until it is written the message must not come again by the old one.
    const take = known && live.withhold(known, offset);
    const ck: Checkpoint = {
      topic,
      group,
      queueId,
      startOffset: offset,
      popTime,
      invisibleTime,
      diffs: [0],
      done: 0,
      suspend,
      rePuts: 0,
      logEnd: context.store.maxPhysicalOffset,
    };
    const message = checkpointMessage(ck, reviveQueueId, context.place, now);
    this.underWay += 1;
    context.put(laterForm(message, context.rules(), now), ({ status, remark }) => {
      this.underWay -= 1;
      if (!isStored(status)) {
        take?.back();
        asked.answer(status, remark ?? responseName(status));
        return;
      }
      context.figures.count('checkpointsIn', figureKey(topic, group));
      const offsets = states.of(topic, group);
      if (typeof offsets === 'object') live.add(offsets.queue(queueId), ck, reviveQueueId);
      const { startOffset } = question;
      const old = { topic, group, queueId, startOffset, popTime: question.popTime, offsets: [offset] };
      const answered = new Answer(asked, () => answer(asked, popTime, invisibleTime, reviveQueueId));
      acks.addLate(old, reviveQueueId, question.oldInvisibleTime, answered);
      answered.done(ResponseCode.SUCCESS);
    });
  }
}

/** Of pop times that were made one after the other in a millisecond. */
const NEAR_MS = 1_000;

const FULL = limitRemark('checkpoints of pops in memory', MAX_LIVE_CHECKPOINTS, 'MAX_LIVE_CHECKPOINTS');
const OVER = 'the receipt is over: its message has been acknowledged, or is visible again';

function answer(asked: Asked, popTime: number, invisibleTime: number, reviveQueueId: number): void {
  const fields = {
    ...{ popTime: String(popTime), invisibleTime: String(invisibleTime) },
    reviveQid: String(reviveQueueId),
  };
  asked.answerJson(FIELDS, { code: ResponseCode.SUCCESS, fields });
}
