/** What a network thread's handlers have counted, for rigs. */
import { Calls } from '../../src/broker/stats/calls.ts';
import { CALL_ROWS, callKind } from '../../src/protocol/call-kinds.ts';
import { requestName, responseName } from '../../src/protocol/codes.ts';
import { CALL_CELLS, CallSums, CallTable, callsIn, createCallTables } from '../../src/ring/call-table.ts';

const WAYS = ['at once', 'long polling', 'oneway', 'lost'];

export class CountedCalls {
  readonly #buffer = createCallTables(1, CALL_ROWS);
  readonly table = new CallTable(this.#buffer, 0, CALL_ROWS);
  readonly calls = new Calls(this.table);
  readonly #sums = new CallSums(this.#buffer, CALL_ROWS);

  /** Of each kind: how many, and ms of all together. */
  get all(): [request: string, answer: string, way: string | undefined, calls: number, ms: number][] {
    return [...this.#sums.counted()].map(([row, cells]) => {
      const { request, answer, way } = callKind(row);
      const ms = cells[CALL_CELLS - 1] as number;
      return [requestName(request), responseName(answer), WAYS[way], callsIn(cells), ms];
    });
  }
}
