/**
 * Requests for topics and groups that do not exist yet: control is asked once, the frames wait and run again in their
 * order. Until the last of them has run, whatever else comes for the same topic waits behind it. They run in slices: a
 * client may have sent thousands, each of which asks for megabytes.
 */
import { copied } from '../../lib/copied.ts';
import { groupNameProblem, topicNameProblem } from '../../lib/names.ts';
import type { Connection } from '../../net/connection.ts';
import { RequestCode, ResponseCode } from '../../protocol/codes.ts';
import { FLAG_ONEWAY, responseTo } from '../../protocol/command.ts';
import { encodeCommand } from '../../protocol/command-codec.ts';
import { CUT_ALL, CUT_BLOCKED } from '../../protocol/frame-cutter.ts';
import { RequestView } from '../../protocol/request-view.ts';
import type { ControlLink } from '../link/control-link.ts';
import type { RefusalCounts } from '../send/refused-sends.ts';
import { SendFields } from '../send/send-fields.ts';
import type { Calls } from '../stats/calls.ts';
import type { EnsuredDelta } from '../view/deltas.ts';
import type { NetworkView } from '../view/network-view.ts';
import { type ParkedFrame, ParkedFrames, type ParkedRefusal } from './parked-frames.ts';

/** Before a name: what is waited for. Of one length. */
const TOPIC = 't:';
const GROUP = 'g:';

const SENDS: ReadonlySet<number> = new Set([
  RequestCode.SEND_MESSAGE,
  RequestCode.SEND_MESSAGE_V2,
  RequestCode.SEND_BATCH_MESSAGE,
]);

function topicOf(request: RequestView): string {
  const fields = new SendFields();
  fields.locate(request.fields, request.code !== RequestCode.SEND_MESSAGE);
  return request.fields.text(fields.topic);
}

/** How long a slice takes, ms. */
const SLICE_MS = 4;

export interface CreationWaitParts {
  link: ControlLink;
  view: NetworkView;
  now: () => number;
  /** Runs a frame; CUT_BLOCKED leaves it waiting. */
  run: (connection: Connection, frame: Uint8Array) => number;
  touched: (connection: Connection) => void;
  /** Ms of a clock that goes on within a turn. */
  clock: () => number;
  /** There is more to run: `retry` is to be called in another turn. */
  goOn: () => void;
  refusals: RefusalCounts;
  calls: Calls;
}

export class CreationWait {
  readonly #parts: CreationWaitParts;
  readonly #parked = new ParkedFrames();
  readonly #request = new RequestView();
  /** A frame that waited is being run: it must not wait behind itself. */
  #running = false;

  constructor(parts: CreationWaitParts) {
    this.#parts = parts;
  }

  /** A send to a topic that this thread does not know. */
  topic(
    connection: Connection,
    request: RequestView,
    fields: SendFields,
    offset: number,
    length: number,
  ): number {
    const name = request.fields.text(fields.topic);
    const problem = topicNameProblem(name);
    if (problem !== undefined) {
      this.#refuse(connection, request, ResponseCode.INVALID_PARAMETER, problem);
      return CUT_ALL;
    }
    if (this.#running) return this.#refuseGone(connection, request, ResponseCode.TOPIC_NOT_EXIST, name);
    const key = TOPIC + name;
    // It is there, and those before it wait for rings: so does this one, and its connection with it.
    if (this.#parked.isReady(key)) return CUT_BLOCKED;
    const asked = () =>
      this.#parts.link.ensure({
        what: 'topic',
        name,
        defaultTopic: fields.defaultTopic(request.fields),
        defaultTopicQueueNums: fields.defaultTopicQueueNums(request.fields),
        remoteAddress: connection.remoteAddress,
        topicSysFlag: fields.unitMode(request.fields) ? 1 : 0,
      });
    if (!this.#parked.isWaiting(key) && !asked()) return CUT_BLOCKED;
    return this.#park(key, connection, request, offset, length);
  }

  /** A send to a lite topic that this thread does not know; `queue`: the name of its queue. */
  lite(connection: Connection, request: RequestView, queue: string, offset: number, length: number): number {
    const key = TOPIC + queue;
    if (this.#running) return this.#refuseGone(connection, request, ResponseCode.TOPIC_NOT_EXIST, queue);
    if (this.#parked.isReady(key)) return CUT_BLOCKED;
    const { remoteAddress } = connection;
    const nothing = { defaultTopic: '', defaultTopicQueueNums: 0, topicSysFlag: 0 };
    const asked = () => this.#parts.link.ensure({ what: 'topic', name: queue, remoteAddress, ...nothing });
    if (!this.#parked.isWaiting(key) && !asked()) return CUT_BLOCKED;
    return this.#park(key, connection, request, offset, length);
  }

  /** A pull of a group that this thread does not know. */
  group(connection: Connection, request: RequestView, name: string, offset: number, length: number): number {
    const problem = groupNameProblem(name);
    if (problem !== undefined) {
      this.#refuse(connection, request, ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST, problem);
      return CUT_ALL;
    }
    const key = GROUP + name;
    if (this.#running) {
      return this.#refuseGone(connection, request, ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST, name);
    }
    if (this.#parked.isReady(key)) return CUT_BLOCKED;
    const { remoteAddress } = connection;
    const asked = () => this.#parts.link.ensure({ what: 'group', name, remoteAddress });
    if (!this.#parked.isWaiting(key) && !asked()) return CUT_BLOCKED;
    return this.#park(key, connection, request, offset, length);
  }

  /** Whether frames for the topic wait that came before: a later one goes behind them. */
  isAwaited(request: RequestView, fields: SendFields): boolean {
    return this.#parked.size > 0 && this.isTopicAwaited(request.fields.text(fields.topic));
  }

  isTopicAwaited(name: string): boolean {
    return this.#parked.size > 0 && !this.#running && this.#parked.isWaiting(TOPIC + name);
  }

  /** Frames wait for room in a ring only: `retry` when there may be some. */
  get hasReady(): boolean {
    return this.#parked.hasReady;
  }

  /** Control's answer: with `retry` the frames run again, or are refused for its reason. */
  ensured(delta: EnsuredDelta): void {
    const key = (delta.what === 'topic' ? TOPIC : GROUP) + delta.name;
    this.#parked.markReady(key, delta.code === 0 ? undefined : delta);
  }

  /** Runs what is ready as far as the rings and one slice allow. */
  retry(): void {
    if (!this.#parked.hasReady) return;
    const { clock, goOn } = this.#parts;
    const end = clock() + SLICE_MS;
    this.#running = true;
    try {
      const more = this.#parked.runReady(
        (parked, key, refusal) => this.#runParked(parked, key, refusal),
        () => clock() < end,
      );
      if (more) goOn();
    } finally {
      this.#running = false;
    }
  }

  /** False when it has to wait for room in a ring. */
  #runParked({ connection, frame }: ParkedFrame, key: string, refusal: ParkedRefusal | undefined): boolean {
    if (refusal !== undefined) {
      this.#refuseFrame(connection, frame, refusal.code, refusal.remark);
      return true;
    }
    // A send was received and is stored, as any other whose producer closes before the answer; a pull is not.
    if (connection.closed && !key.startsWith(TOPIC)) return true;
    return this.#parts.run(connection, frame) !== CUT_BLOCKED;
  }

  /** What has waited for too long is refused with `retry`. */
  expire(): void {
    for (const key of this.#parked.overdue(this.#parts.now())) {
      const remark = `${key.slice(TOPIC.length)} is still being created, try again`;
      this.#parked.markReady(key, { code: ResponseCode.SYSTEM_BUSY, remark });
    }
  }

  #park(key: string, connection: Connection, request: RequestView, offset: number, length: number): number {
    const frame = copied(request.bytes, offset, offset + length);
    const exceeded = this.#parked.park(key, { connection, frame }, this.#parts.now());
    if (exceeded !== undefined) {
      const remark = `too many requests wait for ${key.slice(TOPIC.length)} to be created (limit ${exceeded})`;
      this.#refuse(connection, request, ResponseCode.SYSTEM_BUSY, remark);
    }
    return CUT_ALL;
  }

  /** It was made, as the answer said, and is gone again. */
  #refuseGone(connection: Connection, request: RequestView, code: number, name: string): number {
    this.#refuse(connection, request, code, `${name} was deleted while requests waited for it to be created`);
    return CUT_ALL;
  }

  #refuseFrame(connection: Connection, frame: Uint8Array, code: number, remark: string): void {
    const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
    if (connection.closed || !this.#request.read(frame, view, 0, frame.length)) return;
    this.#refuse(connection, this.#request, code, remark);
    this.#parts.touched(connection);
  }

  #refuse(connection: Connection, request: RequestView, code: number, remark: string): void {
    if (SENDS.has(request.code)) {
      this.#parts.refusals.note(code, remark, connection.remoteAddress, () => topicOf(request));
    }
    this.#parts.calls.refused(request, code);
    if ((request.flag & FLAG_ONEWAY) !== 0) return;
    connection.append(encodeCommand(responseTo(request, code, remark)));
  }
}
