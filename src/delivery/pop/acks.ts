/**
 * Acknowledgements: those of one turn for what was popped together become one message. It is to be in the revive topic
 * when the messages would be visible again; in memory they are done at once.
 */

import { MAX_ACKED_TOGETHER } from '../../lib/limits.ts';
import { ResponseCode, responseName } from '../../protocol/codes.ts';
import { isStored } from '../../store/put/put-message.ts';
import { figureKey } from '../figures.ts';
import type { Asked } from '../question-server.ts';
import { laterForm } from '../waiting-form.ts';
import { type Ack, ackMessage, keyOf } from './checkpoint.ts';
import type { LiveCheckpoints } from './live-checkpoints.ts';
import type { PopContext } from './pop-context.ts';
import type { LiveCheckpoint } from './pop-states.ts';
import type { ReviveLog } from './revive-log.ts';

/** Counts the answers that a request waits for; the worst is told. */
export class Answer {
  readonly #asked: Asked;
  readonly #succeed: () => void;
  #left = 1;
  #status: number = ResponseCode.SUCCESS;
  #remark = '';

  constructor(asked: Asked, succeed = () => asked.answer(ResponseCode.SUCCESS, '')) {
    this.#asked = asked;
    this.#succeed = succeed;
  }

  await(): void {
    this.#left += 1;
  }

  /** The request has failed, whatever else comes of it. */
  fail(status: number, remark: string): void {
    this.#status = status;
    this.#remark = remark;
  }

  done(status: number, remark = ''): void {
    if (status !== ResponseCode.SUCCESS) this.fail(status, remark);
    this.#left -= 1;
    if (this.#left > 0) return;
    if (this.#status === ResponseCode.SUCCESS) this.#succeed();
    else this.#asked.answer(this.#status, this.#remark);
  }
}

interface Together {
  /** Of their checkpoint. */
  readonly key: string;
  readonly ack: Ack;
  readonly reviveQueueId: number;
  readonly visibleAt: number;
  readonly answers: Answer[];
}

export interface AcksParts {
  context: PopContext;
  live: LiveCheckpoints;
  reviveLog: Pick<ReviveLog, 'acknowledge'>;
}

/** Checkpoints of which it is remembered that acks have failed. */
const MAX_FAILED = 1_024;

export class Acks {
  readonly #parts: AcksParts;
  /** Those of this turn: by checkpoint, or by what names one that is not in memory. */
  #turn = new Map<LiveCheckpoint | string, Together>();
  /** Those that hold as many as one message should. */
  #full: Together[] = [];
  /** By checkpoint: those that are not in the log yet, though in memory they are done. */
  readonly #unstored = new Map<string, Together[]>();
  /** By checkpoint, offsets whose acks have not come into the log, though in memory they are done. */
  readonly #failed = new Map<string, Set<number>>();
  /** On their way to the log. */
  underWay = 0;

  constructor(parts: AcksParts) {
    this.#parts = parts;
  }

  /** Whether some wait for the end of the turn. */
  get pending(): boolean {
    return this.#turn.size > 0;
  }

  /** `answer` hears of it when it is in the log. */
  add(ack: Ack, reviveQueueId: number, invisibleTime: number, answer: Answer): void {
    const { live } = this.#parts;
    const known = live.find(ack);
    if (known === undefined && live.isOver(ack)) this.#addAgain(ack, reviveQueueId, invisibleTime, answer);
    else this.#note(known, ack, reviveQueueId, invisibleTime, answer);
  }

  /**
   * What is over was acknowledged, or revived: it is too late for this to change anything. But what was acknowledged
   * may be on its way to the log only, or have failed.
   */
  #addAgain(ack: Ack, reviveQueueId: number, invisibleTime: number, answer: Answer): void {
    const key = keyOf(ack);
    const left = new Set(this.#failed.get(key));
    for (const together of this.#unstored.get(key) ?? []) {
      const { offsets } = together.ack;
      if (!ack.offsets.some((offset) => offsets.includes(offset))) continue;
      answer.await();
      together.answers.push(answer);
      for (const offset of offsets) left.delete(offset);
    }
    const offsets = ack.offsets.filter((offset) => left.has(offset));
    if (offsets.length > 0) this.#note(undefined, { ...ack, offsets }, reviveQueueId, invisibleTime, answer);
  }

  /** The same of messages that were not revived, whatever has become of the others of their checkpoint. */
  addLate(ack: Ack, reviveQueueId: number, invisibleTime: number, answer: Answer): void {
    this.#note(this.#parts.live.find(ack), ack, reviveQueueId, invisibleTime, answer);
  }

  #note(
    known: LiveCheckpoint | undefined,
    ack: Ack,
    reviveQueueId: number,
    invisibleTime: number,
    answer: Answer,
  ): void {
    const { live, reviveLog } = this.#parts;
    // It is not what the pop has told: in that revive queue it would be the ack of no checkpoint.
    if (known !== undefined && known.reviveQueueId !== reviveQueueId) return;
    const place = known ?? `${keyOf(ack)}@${reviveQueueId}`;
    if (known === undefined) reviveLog.acknowledge(ack, ack.offsets);
    else live.acknowledge(known, ack.offsets);
    answer.await();
    const together = this.#turn.get(place);
    if (together === undefined || together.ack.offsets.length >= MAX_ACKED_TOGETHER) {
      if (together !== undefined) this.#full.push(together);
      const visibleAt = this.#visibleAt(known, ack, invisibleTime);
      const begun = { key: keyOf(ack), ack, reviveQueueId, visibleAt, answers: [answer] };
      this.#turn.set(place, begun);
      this.#noteUnstored(begun);
      return;
    }
    const { offsets } = together.ack;
    for (const offset of ack.offsets) if (!offsets.includes(offset)) offsets.push(offset);
    together.answers.push(answer);
  }

  /**
   * By elapsed time where that is known, as for its checkpoint: it must not overtake that, or be left behind, when the
   * clock has been set since. Ms since the epoch.
   */
  #visibleAt(known: LiveCheckpoint | undefined, { popTime }: Ack, invisibleTime: number): number {
    const { clock } = this.#parts.context;
    if (known === undefined) return popTime + invisibleTime;
    return clock.now() + Math.max(0, Math.round(known.visibleAt - clock.monotonic()));
  }

  /** Puts those of this turn; returns how many messages that were. */
  put(): number {
    if (this.#turn.size === 0) return 0;
    const turn = [...this.#full, ...this.#turn.values()];
    this.#turn = new Map();
    this.#full = [];
    const { context } = this.#parts;
    const now = context.clock.now();
    const rules = context.rules();
    for (const together of turn) {
      const { ack, reviveQueueId, visibleAt, answers } = together;
      // A receipt may name any time; what the timer would not take is there at once, and changes nothing.
      const latest = now + rules.timerMaxDelaySec * 1_000;
      const due = visibleAt <= latest ? visibleAt : now;
      const message = ackMessage(ack, reviveQueueId, context.place, due, now);
      this.underWay += 1;
      context.put(laterForm(message, rules, now), ({ status, remark }) => {
        this.underWay -= 1;
        const told = isStored(status) ? ResponseCode.SUCCESS : status;
        if (isStored(status)) context.figures.count('acksIn', figureKey(ack.topic, ack.group));
        this.#noteOutcome(together, isStored(status));
        for (const answer of answers) answer.done(told, remark ?? responseName(status));
      });
    }
    return turn.length;
  }

  #noteUnstored(together: Together): void {
    const others = this.#unstored.get(together.key);
    if (others === undefined) this.#unstored.set(together.key, [together]);
    else others.push(together);
  }

  #noteOutcome(together: Together, isStored: boolean): void {
    const { key } = together;
    const others = (this.#unstored.get(key) ?? []).filter((other) => other !== together);
    if (others.length === 0) this.#unstored.delete(key);
    else this.#unstored.set(key, others);
    const failed = this.#failed.get(key);
    if (failed === undefined && isStored) return;
    const left = failed ?? new Set();
    for (const offset of together.ack.offsets) {
      if (isStored) left.delete(offset);
      else left.add(offset);
    }
    if (left.size === 0) this.#failed.delete(key);
    else this.#failed.set(key, left);
    const [oldest = ''] = this.#failed.keys();
    if (this.#failed.size > MAX_FAILED) this.#failed.delete(oldest);
  }
}
