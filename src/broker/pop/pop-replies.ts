/**
 * Answers to pops: the owner has said which records, and they are read here. What has to come from the disk is fetched
 * first, and nobody else waits for that.
 */
import type { Popped, PoppedPart } from '../../delivery/pop/pop-questions.ts';
import { MAX_FETCHING_POPS } from '../../lib/limits.ts';
import type { Connection } from '../../net/connection.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import { responseTo } from '../../protocol/command.ts';
import type { Asking } from '../../ring/question-records.ts';
import type { PullReader } from '../../store/read/pull-reader.ts';
import { askedBy, readJson } from '../delivery-questions.ts';
import { FieldAnswers } from '../field-answers.ts';
import { asOriginal } from './original-message.ts';
import { writeReceipt } from './receipt.ts';

export interface PopReplyParts {
  reader: PullReader;
  brokerName: string;
  /** Whether a read from the disk brings what follows too. */
  readAhead: () => boolean;
  connectionOf: (slot: number, generation: number) => Connection | undefined;
  touched: (connection: Connection) => void;
  /** Ends a turn that no socket and no bell has begun. */
  endOfTurn: () => void;
  guarded: (connection: Connection, run: () => void) => void;
  /** Counts messages, and bytes of them, that a consumer gets. */
  given: (group: string, topic: string, messages: number, bytes: number) => void;
  /** Counts that it is answered with `code`. */
  called: (asking: Readonly<Asking>, code: number) => void;
  /** Tells the owner that nobody gets these. */
  untaken: (popped: Popped) => void;
}

export class PopReplies {
  readonly #parts: PopReplyParts;
  readonly #answers = new FieldAnswers();
  #fetching = 0;

  constructor(parts: PopReplyParts) {
    this.#parts = parts;
  }

  /** An answer POPPED of the owner: see AnswerTaker. */
  readonly take = (
    connection: Connection,
    asking: Readonly<Asking>,
    bytes: Uint8Array,
    at: number,
    to: number,
  ): void => {
    const popped = readJson<Popped>(bytes, at, to);
    const cold = popped.parts.flatMap(({ records }) => this.#parts.reader.coldOf(records));
    if (cold.length === 0) this.#write(connection, asking, popped);
    else void this.#fetch(cold, { ...asking }, popped);
  };

  /** One whose connection is closed: its messages need not be invisible. */
  readonly lost = (bytes: Uint8Array, at: number, to: number): void =>
    this.#lose(readJson<Popped>(bytes, at, to));

  #lose(popped: Popped): void {
    if (popped.parts.length > 0) this.#parts.untaken(popped);
  }

  async #fetch(cold: readonly number[], asking: Asking, popped: Popped): Promise<void> {
    const { reader, readAhead, connectionOf, touched, endOfTurn, guarded } = this.#parts;
    if (this.#fetching < MAX_FETCHING_POPS) {
      this.#fetching += 1;
      try {
        for (let i = 0; i + 1 < cold.length; i += 2)
          await reader.warm(cold[i] as number, cold[i + 1] as number, readAhead());
      } catch {
        // Whoever reads it says what is wrong.
      }
      this.#fetching -= 1;
    }
    const connection = connectionOf(asking.slot, asking.generation);
    if (connection === undefined) {
      this.#lose(popped);
      endOfTurn();
      return;
    }
    guarded(connection, () => this.#write(connection, asking, popped));
    touched(connection);
    endOfTurn();
  }

  #write(connection: Connection, asking: Readonly<Asking>, popped: Popped): void {
    const bodies = popped.parts.map((part) => this.#bodyOf(part, popped));
    const given = popped.parts.filter((_, i) => bodies[i] !== undefined);
    const isGone = popped.parts.length > 0 && given.length === 0;
    const code = isGone ? ResponseCode.POLLING_TIMEOUT : popped.code;
    this.#parts.called(asking, code);
    const answer = responseTo(askedBy(asking), code, isGone ? 'MESSAGE_WAS_REMOVING' : popped.remark, {
      popTime: String(popped.popTime),
      invisibleTime: String(popped.invisibleTime),
      reviveQid: String(popped.reviveQid),
      ...(popped.lite ? {} : placesOf(popped, given)),
      ...(popped.orderCountInfo === undefined ? {} : { orderCountInfo: popped.orderCountInfo }),
    });
    const messages = given.reduce((sum, { offsets }) => sum + offsets.length, 0);
    const length = bodies.reduce((sum, body) => sum + (body?.length ?? 0), 0);
    let at = this.#answers.write(connection, answer, length);
    const out = connection.output;
    for (const body of bodies) {
      if (body === undefined) continue;
      out.set(body, at);
      at += body.length;
    }
    if (popped.group !== undefined) this.#parts.given(popped.group, popped.topic, messages, length);
    connection.flushMuch();
  }

  /** Undefined when none of them can be read; `part` names those that can. */
  #bodyOf(part: PoppedPart, popped: Popped): Uint8Array | undefined {
    const { reader } = this.#parts;
    for (;;) {
      const length = reader.take(part.records);
      if (length === 0) return undefined;
      const body = Buffer.allocUnsafe(length);
      if (reader.copyTo(body, 0)) return part.retry === 0 ? body : this.#asOriginals(part, popped, body);
      // It comes again when its time is over, or is gone with its file.
      const bad = reader.errno === 0 ? reader.firstGone(part.records) : reader.readable;
      part.records.splice(2 * bad, 2);
      part.offsets.splice(bad, 1);
    }
  }

  /** Messages of the retry topic, as those of the topic that they are. */
  #asOriginals(part: PoppedPart, { topic, popTime, invisibleTime, reviveQid }: Popped, body: Buffer): Buffer {
    const { startOffset, queueId, retry, offsets, records } = part;
    const receipt = { startOffset, popTime, invisibleTime, reviveQueueId: reviveQid };
    const text = writeReceipt(receipt, retry, this.#parts.brokerName, queueId);
    let at = 0;
    const messages = offsets.map((offset, i) => {
      const size = records[2 * i + 1] as number;
      at += size;
      return asOriginal(body.subarray(at - size, at), topic, `${text} ${offset}`);
    });
    return Buffer.concat(messages);
  }
}

/** Where what is given lies, for receipts. Messages of lite topics say it themselves. */
function placesOf({ restNum }: Popped, given: readonly PoppedPart[]): Record<string, string> {
  return {
    restNum: String(restNum),
    startOffsetInfo: given.map((part) => `${part.retry} ${part.queueId} ${part.startOffset}`).join(';'),
    msgOffsetInfo: given.map((part) => `${part.retry} ${part.queueId} ${part.offsets.join(',')}`).join(';'),
  };
}
