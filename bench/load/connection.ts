/**
 * One sending connection: frames out by window, replies in; commits where the messages are halves, and replies of other
 * clients where they are requests.
 */
import { RequestCode } from '../../src/protocol/codes.ts';
import { requestCommand } from '../../src/protocol/command.ts';
import { encodeCommand } from '../../src/protocol/command-codec.ts';
import type { Commits } from './commits.ts';
import type { FrameRing } from './frame-ring.ts';
import { type Endpoint, FrameSocket } from './frame-socket.ts';
import type { Recorder } from './recorder.ts';
import { PUSH_REPLY, type Requests } from './requests.ts';
import { OPAQUE_BASE } from './send-template.ts';
import type { SentKeys } from './sent-keys.ts';
import { RequestWindow } from './window.ts';

export interface ConnectionEvents {
  /** `freed` requests were answered by what was just read. */
  onReplies(connection: LoadConnection, freed: number): void;
  onFailure(error: Error): void;
}

export interface ConnectionParts {
  frames: FrameRing;
  recorder: Recorder;
  /** Undefined when nobody keeps a ledger. */
  keys: SentKeys | undefined;
  /** Undefined when messages need no second request. */
  commits: Commits | undefined;
  /** Undefined when messages are no requests. */
  requests: Requests | undefined;
}

export class LoadConnection {
  readonly window: RequestWindow;
  /** Undefined when nobody keeps a ledger. */
  readonly keys: SentKeys | undefined;
  readonly #frames: FrameRing;
  readonly #recorder: Recorder;
  readonly #commits: Commits | undefined;
  readonly #requests: Requests | undefined;
  #registered: (() => void) | undefined;
  readonly #socket: FrameSocket;
  #freed = 0;

  constructor({ frames, recorder, keys, commits, requests }: ConnectionParts, events: ConnectionEvents) {
    this.#frames = frames;
    this.window = new RequestWindow(frames.capacity);
    this.keys = keys;
    this.#recorder = recorder;
    this.#commits = commits;
    this.#requests = requests;
    this.#socket = new FrameSocket({
      onReply: (code, opaque, _bodyBytes, bytes, start, end) => {
        if (requests !== undefined) this.#ofRequest(requests, code, opaque, bytes, start, end);
        else if (!this.#isHalf(code, opaque, bytes, start, end)) this.#reply(code, opaque);
      },
      onRead: () => {
        const ends = commits?.take() ?? requests?.take();
        if (ends !== undefined) this.#socket.write(ends);
        const freed = this.#freed;
        this.#freed = 0;
        if (freed > 0) events.onReplies(this, freed);
      },
      onFailure: (error) => events.onFailure(error),
    });
  }

  open(endpoint: Endpoint): Promise<void> {
    return this.#socket.open(endpoint);
  }

  /** Tells the broker who this is; resolves with its answer. */
  register(heartbeat: Uint8Array): Promise<void> {
    this.#socket.write(
      encodeCommand({ ...requestCommand(RequestCode.HEART_BEAT, {}, heartbeat), opaque: 1 }),
    );
    return new Promise((resolve) => {
      this.#registered = resolve;
    });
  }

  /**
   * Sends `count` requests (as many slots must be free) with one write, two parts when the ring wraps. Request k counts
   * its latency from `since + k * step`.
   */
  send(count: number, since: number, step: number): void {
    if (count === 0) return;
    const frames = this.#frames;
    const { keys } = this;
    const commits = this.#commits;
    const first = frames.position;
    frames.setMillis(Date.now());
    for (let index = 0; index < count; index++) {
      const due = since + index * step;
      const opaque = this.window.open(due);
      if (keys !== undefined) keys.sending(this.window.slotOf(opaque), frames.counter, due);
      if (this.#requests !== undefined) this.#requests.sending(opaque, frames.counter);
      if (commits !== undefined) commits.sending(this.window.slotOf(opaque), frames.counter);
      frames.fill(opaque);
    }
    const size = frames.frameBytes;
    if (first + count <= frames.capacity) {
      this.#socket.write(frames.bytes.subarray(first * size, (first + count) * size));
      return;
    }
    this.#socket.cork();
    this.#socket.write(frames.bytes.subarray(first * size));
    this.#socket.write(frames.bytes.subarray(0, (first + count - frames.capacity) * size));
    this.#socket.uncork();
  }

  close(): void {
    this.#socket.close();
  }

  /** Whether this answers a half message, whose commit is to follow: then its slot is not free yet. */
  #isHalf(code: number, opaque: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#commits === undefined || code !== 0 || !this.window.awaits(opaque)) return false;
    return this.#commits.follows(this.window.slotOf(opaque), opaque, bytes, start, end);
  }

  /** A heartbeat's answer, a send's, or the reply of another client: with the second of these the round trip is over. */
  #ofRequest(
    requests: Requests,
    code: number,
    opaque: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    if (code === PUSH_REPLY) {
      const asked = requests.replied(opaque, bytes, start, end);
      if (asked < 0) this.#recorder.unexpectedReply();
      else if (requests.answered(asked)) this.#reply(0, asked);
    } else if (opaque < OPAQUE_BASE) this.#registered?.();
    else if (code !== 0 || requests.answered(opaque)) this.#reply(code, opaque);
  }

  #reply(code: number, opaque: number): void {
    const since = this.window.close(opaque);
    if (since < 0) {
      this.#recorder.unexpectedReply();
      return;
    }
    this.#freed++;
    if (this.keys !== undefined && code === 0) this.keys.acknowledged(this.window.slotOf(opaque));
    this.#recorder.reply(code, this.#socket.now - since, this.#frames.messages);
  }
}
