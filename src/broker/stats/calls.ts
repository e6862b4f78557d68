/** Counts the calls that a network thread answers: which, how, and how long they took. */
import { AT_ONCE, callOf, callRow, ONEWAY } from '../../protocol/call-kinds.ts';
import { FLAG_ONEWAY } from '../../protocol/command.ts';
import type { CallTable } from '../../ring/call-table.ts';

export class Calls {
  readonly #table: CallTable;

  constructor(table: CallTable) {
    this.#table = table;
  }

  /** A call of this number (`callOf`) is answered with `code`, or need not be. */
  done(call: number, code: number, way: number, ms: number): void {
    this.#table.count(callRow(call, code, way), ms);
  }

  /** The turn that has brought the request answers it with `code`. */
  refused({ code: request, flag }: { readonly code: number; readonly flag: number }, code: number): void {
    this.done(callOf(request), code, (flag & FLAG_ONEWAY) !== 0 ? ONEWAY : AT_ONCE, 0);
  }
}
