/**
 * END_TRANSACTION (37) in a network thread: its fields are read and checked here, then it goes to the delivery agent,
 * which owns the half messages, and the answer comes back.
 */
import { MAX_NAME } from '../../lib/limits.ts';
import type { Connection } from '../../net/connection.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import { FLAG_ONEWAY, responseTo, SERIALIZE_BINARY, SERIALIZE_JSON } from '../../protocol/command.ts';
import { encodeCommand } from '../../protocol/command-codec.ts';
import { ABSENT } from '../../protocol/field-table.ts';
import { CUT_ALL, CUT_BLOCKED } from '../../protocol/frame-cutter.ts';
import type { RequestView } from '../../protocol/request-view.ts';
import { SYS_TRANSACTION_COMMIT, SYS_TRANSACTION_ROLLBACK } from '../../record/layout.ts';
import type { ChannelReceiver, ChannelSender } from '../../ring/channel.ts';
import type { Counters } from '../../ring/counters.ts';
import {
  END,
  END_ANSWERS_CHECK,
  END_BINARY,
  END_COMMITS,
  END_HEAD,
  END_ONEWAY,
  ENDED_HEAD,
  emptyEnd,
  emptyEnded,
  readEnded,
  writeEnd,
} from '../../ring/end-records.ts';
import { FULL } from '../../ring/spsc-ring.ts';
import { countRefusal } from '../refusals.ts';
import { SuccessAnswers } from '../success-answers.ts';

/** The outcome is not known yet: nothing happens, and RocketMQ answers nothing. */
const STATE_UNKNOWN = 0;
const STATES: ReadonlySet<number> = new Set([
  STATE_UNKNOWN,
  SYS_TRANSACTION_COMMIT,
  SYS_TRANSACTION_ROLLBACK,
]);

export interface EndParts {
  up: ChannelSender;
  down: ChannelReceiver;
  counters: Counters;
  connectionOf: (slot: number, generation: number) => Connection | undefined;
  /** Has output; flush it at the end of the turn. */
  touched: (connection: Connection) => void;
  /** Delivery starts with what needs it first. */
  needsDelivery: () => void;
}

export class EndTransactions {
  /** Ends that are to be answered. */
  underWay = 0;
  readonly #parts: EndParts;
  readonly #end = emptyEnd();
  readonly #ended = emptyEnded();
  readonly #successes = new SuccessAnswers();
  #told = false;

  constructor(parts: EndParts) {
    this.#parts = parts;
  }

  /** CUT_ALL or CUT_BLOCKED. */
  handle(connection: Connection, request: RequestView): number {
    const problem = problemOf(request);
    if (problem !== undefined) return this.#refuse(connection, request, problem);
    const state = request.integer('commitOrRollback');
    if (state === STATE_UNKNOWN) return CUT_ALL;
    const { up } = this.#parts;
    const group = Buffer.from(request.text('producerGroup'));
    const at = up.claim(END, END_HEAD + group.length);
    if (at === FULL) return CUT_BLOCKED;
    const end = this.#end;
    end.slot = connection.slot;
    end.generation = connection.generation;
    end.opaque = request.opaque;
    end.flags = flagsOf(request, state);
    end.logOffset = request.integer('commitLogOffset');
    end.queueOffset = request.integer('tranStateTableOffset');
    writeEnd(up.view, at, end);
    up.bytes.set(group, at + END_HEAD);
    up.commit();
    if ((request.flag & FLAG_ONEWAY) === 0) this.underWay += 1;
    if (!this.#told) this.#parts.needsDelivery();
    this.#told = true;
    return CUT_ALL;
  }

  #refuse(connection: Connection, request: RequestView, remark: string): number {
    countRefusal(this.#parts.counters, ResponseCode.SYSTEM_ERROR);
    if ((request.flag & FLAG_ONEWAY) === 0)
      connection.append(encodeCommand(responseTo(request, ResponseCode.SYSTEM_ERROR, remark)));
    return CUT_ALL;
  }

  /** Shows the agent what this turn put into the channel. */
  publish(): void {
    this.#parts.up.publish();
  }

  /** Whether `drain` would find something now. */
  get pending(): boolean {
    return this.#parts.down.pending;
  }

  /** Sends the answers that have come. */
  drain(): void {
    const { down, connectionOf, touched, counters } = this.#parts;
    while (down.next()) {
      const { view, bytes, offset, length } = down;
      this.underWay -= 1;
      readEnded(view, offset, this.#ended);
      const { slot, generation, opaque, flags, code } = this.#ended;
      if (code !== ResponseCode.SUCCESS) countRefusal(counters, code);
      const connection = connectionOf(slot, generation);
      if (connection === undefined) continue;
      const binary = (flags & END_BINARY) !== 0;
      if (code === ResponseCode.SUCCESS && length === ENDED_HEAD) {
        this.#successes.write(connection, opaque, binary);
      } else {
        const request = { opaque, serializeType: binary ? SERIALIZE_BINARY : SERIALIZE_JSON };
        const remark = Buffer.from(bytes.subarray(offset + ENDED_HEAD, offset + length)).toString();
        connection.append(encodeCommand(responseTo(request, code, remark === '' ? undefined : remark)));
      }
      touched(connection);
    }
    down.release();
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
  let flags = state === SYS_TRANSACTION_COMMIT ? END_COMMITS : 0;
  if ((request.flag & FLAG_ONEWAY) !== 0) flags |= END_ONEWAY;
  if (request.serializeType === SERIALIZE_BINARY) flags |= END_BINARY;
  if (request.text('fromTransactionCheck').toLowerCase() === 'true') flags |= END_ANSWERS_CHECK;
  return flags;
}
