/** One sending connection: frames out by window, replies in. */
import type { FrameRing } from './frame-ring.ts';
import { FrameSocket } from './frame-socket.ts';
import type { Recorder } from './recorder.ts';
import type { SentKeys } from './sent-keys.ts';
import { RequestWindow } from './window.ts';

export interface ConnectionEvents {
  /** `freed` requests were answered by what was just read. */
  onReplies(connection: LoadConnection, freed: number): void;
  onFailure(error: Error): void;
}

export class LoadConnection {
  readonly window: RequestWindow;
  /** Undefined when nobody keeps a ledger. */
  readonly keys: SentKeys | undefined;
  readonly #frames: FrameRing;
  readonly #recorder: Recorder;
  readonly #socket: FrameSocket;
  #freed = 0;

  constructor(frames: FrameRing, recorder: Recorder, keys: SentKeys | undefined, events: ConnectionEvents) {
    this.#frames = frames;
    this.window = new RequestWindow(frames.capacity);
    this.keys = keys;
    this.#recorder = recorder;
    this.#socket = new FrameSocket({
      onReply: (code, opaque) => this.#reply(code, opaque),
      onRead: () => {
        const freed = this.#freed;
        this.#freed = 0;
        if (freed > 0) events.onReplies(this, freed);
      },
      onFailure: (error) => events.onFailure(error),
    });
  }

  open(host: string, port: number): Promise<void> {
    return this.#socket.open(host, port);
  }

  /**
   * Sends `count` requests (as many slots must be free) with one write, two parts when the ring wraps. Request k counts
   * its latency from `since + k * step`.
   */
  send(count: number, since: number, step: number): void {
    if (count === 0) return;
    const frames = this.#frames;
    const { keys } = this;
    const first = frames.position;
    frames.setMillis(Date.now());
    for (let index = 0; index < count; index++) {
      const due = since + index * step;
      const opaque = this.window.open(due);
      if (keys !== undefined) keys.sending(this.window.slotOf(opaque), frames.counter, due);
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
