/**
 * END_TRANSACTION (37) in a network thread: its fields are read and checked here, then it goes to the delivery agent,
 * which owns the half messages, and the answer comes back.
 */
import { MAX_NAME } from '../../lib/limits.ts';
import type { Connection } from '../../net/connection.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import { ABSENT } from '../../protocol/field-table.ts';
import { CUT_ALL, CUT_BLOCKED } from '../../protocol/frame-cutter.ts';
import type { RequestView } from '../../protocol/request-view.ts';
import { SYS_TRANSACTION_COMMIT, SYS_TRANSACTION_ROLLBACK } from '../../record/layout.ts';
import {
  END,
  END_ANSWERS_CHECK,
  END_COMMITS,
  END_HEAD,
  END_LOG_OFFSET,
  END_QUEUE_OFFSET,
} from '../../ring/question-records.ts';
import { FULL } from '../../ring/spsc-ring.ts';
import type { DeliveryQuestions } from '../delivery-questions.ts';

/** The outcome is not known yet: nothing happens, and RocketMQ answers nothing. */
const STATE_UNKNOWN = 0;
const STATES: ReadonlySet<number> = new Set([
  STATE_UNKNOWN,
  SYS_TRANSACTION_COMMIT,
  SYS_TRANSACTION_ROLLBACK,
]);

export class EndTransactions {
  readonly #questions: DeliveryQuestions;

  constructor(questions: DeliveryQuestions) {
    this.#questions = questions;
  }

  /** CUT_ALL or CUT_BLOCKED. */
  handle(connection: Connection, request: RequestView): number {
    const problem = problemOf(request);
    const questions = this.#questions;
    if (problem !== undefined) {
      questions.refuse(connection, request, ResponseCode.SYSTEM_ERROR, problem);
      return CUT_ALL;
    }
    const state = request.integer('commitOrRollback');
    if (state === STATE_UNKNOWN) return CUT_ALL;
    const group = Buffer.from(request.text('producerGroup'));
    const at = questions.claim(connection, request, END, END_HEAD + group.length, flagsOf(request, state));
    if (at === FULL) return CUT_BLOCKED;
    const { view, bytes } = questions.up;
    view.setFloat64(at + END_LOG_OFFSET, request.integer('commitLogOffset'), true);
    view.setFloat64(at + END_QUEUE_OFFSET, request.integer('tranStateTableOffset'), true);
    bytes.set(group, at + END_HEAD);
    questions.commit();
    return CUT_ALL;
  }
}

/** Why the request cannot be understood; RocketMQ answers the same code, mostly with the text of an exception. */
function problemOf(request: RequestView): string | undefined {
  const state = request.integer('commitOrRollback');
  if (Number.isNaN(state)) return 'the field commitOrRollback is missing or no number';
  if (!STATES.has(state)) {
    return 'commitOrRollback field wrong, it must be 0 (unknown), 8 (commit) or 12 (roll back)';
  }
  for (const name of ['tranStateTableOffset', 'commitLogOffset'])
    if (Number.isNaN(request.integer(name))) return `the field ${name} is missing or no number`;
  const { fields } = request;
  const group = fields.find('producerGroup');
  if (group === ABSENT || (fields.valueLength[group] as number) > MAX_NAME)
    return 'The producer group wrong: it is not the one that has sent the message';
  return undefined;
}

function flagsOf(request: RequestView, state: number): number {
  const flags = state === SYS_TRANSACTION_COMMIT ? END_COMMITS : 0;
  const isAnswer = request.text('fromTransactionCheck').toLowerCase() === 'true';
  return isAnswer ? flags | END_ANSWERS_CHECK : flags;
}
