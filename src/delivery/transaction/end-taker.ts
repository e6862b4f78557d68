/** Ends of transactions as they come from the network threads. */
import { END_ANSWERS_CHECK, END_COMMITS, END_HEAD, emptyEnd, readEnd } from '../../ring/question-records.ts';
import type { Asked, QuestionTaker } from '../question-server.ts';
import type { Ends } from './ends.ts';

export class EndTaker implements QuestionTaker {
  readonly #ends: Ends;
  readonly #end = emptyEnd();
  readonly mayTake: () => boolean;

  constructor(ends: Ends, mayTake: () => boolean) {
    this.#ends = ends;
    this.mayTake = mayTake;
  }

  take(asked: Asked, _type: number, bytes: Uint8Array, view: DataView, at: number, to: number): void {
    readEnd(view, at, this.#end);
    const { flags, logOffset, queueOffset } = this.#end;
    this.#ends.take({
      commits: (flags & END_COMMITS) !== 0,
      answersCheck: (flags & END_ANSWERS_CHECK) !== 0,
      waits: asked.waits,
      logOffset,
      queueOffset,
      group: Buffer.from(bytes.subarray(at + END_HEAD, to)).toString(),
      answer: (code, remark) => asked.answer(code, remark),
    });
  }
}
