/**
 * A network thread under observation. Its parts are wrapped from outside, each object by itself and only in a thread
 * that is traced: the classes, and so the way of every other message, stay as they are.
 */

import { closeSync, openSync, readSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { SendHandler } from '../../broker/send/send-handler.ts';
import { systemClock } from '../../lib/clock.ts';
import type { Connection } from '../../net/connection.ts';
import { descriptorOf } from '../../net/read-buffer.ts';
import type { SocketsParts } from '../../net/sockets.ts';
import { LENGTH_BYTES } from '../../protocol/command-codec.ts';
import { RingTap } from '../../ring/ring-tap.ts';
import {
  NOTE_COPIED,
  NOTE_FRAME,
  NOTE_PUBLISHED,
  NOTE_READ,
  NOTE_WRITTEN,
  TraceNotes,
} from '../../ring/trace-notes.ts';
import type { PullReader } from '../../store/read/pull-reader.ts';
import { type NetworkShape, participantOf } from '../shapes.ts';

const now = systemClock.monotonic;

export class NetworkTrace {
  readonly #notes: TraceNotes;
  readonly #calls = new WriteCalls();
  readonly #sent: RingTap;
  /** When the turn began, and with it the bytes of its frames were there. */
  #turn = 0;

  private constructor(notes: TraceNotes, shape: NetworkShape) {
    this.#notes = notes;
    this.#sent = new RingTap(participantOf(shape).send.ring, 'tail');
  }

  /** Undefined where nobody traces. */
  static of(shape: NetworkShape): NetworkTrace | undefined {
    const ring = shape.broker.trace?.[`network-${shape.index}`];
    return ring && new NetworkTrace(new TraceNotes(ring), shape);
  }

  /** Frames as they are handled, and what is written to the sockets. */
  sockets(parts: SocketsParts): SocketsParts {
    return {
      ...parts,
      beginTurn: () => {
        this.#turn = now();
        return parts.beginTurn();
      },
      frame: (connection, bytes, view, offset, length) => {
        const began = now();
        const outcome = parts.frame(connection, bytes, view, offset, length);
        const numbers = [connection.host.port, this.#turn];
        const frame = bytes.subarray(offset - LENGTH_BYTES, offset + length);
        this.#notes.add(NOTE_FRAME, began, now(), numbers, frame);
        return outcome;
      },
      opened: (connection) => {
        this.#writes(connection);
        parts.opened(connection);
      },
    };
  }

  /** When records are shown to the writer. */
  sends(handler: SendHandler): void {
    around(handler, 'publish', (publish) => () => {
      const before = this.#sent.now;
      const began = now();
      publish();
      const ended = now();
      if (this.#sent.now !== before) this.#notes.add(NOTE_PUBLISHED, began, ended, [before, this.#sent.now]);
    });
  }

  /** What is read from the queues, and copied from the log's mapping. */
  reads(reader: PullReader): void {
    around(reader, 'read', (read) => (...args) => {
      const began = now();
      read(...args);
      this.#notes.add(NOTE_READ, began, now(), [reader.status, reader.count, reader.totalBytes]);
    });
    // Copied, where it would be sent from the mapping: so the bytes pass where they are seen.
    around(reader, 'gather', () => () => undefined);
    around(reader, 'copyTo', (copyTo) => (target, at) => {
      const began = now();
      const sound = copyTo(target, at);
      const ended = now();
      const places = Array.from({ length: reader.count }, (_, i) => [
        reader.physicalOffsets[i] as number,
        reader.sizes[i] as number,
      ]);
      this.#notes.add(NOTE_COPIED, began, ended, [reader.count, reader.totalBytes, ...places.flat()]);
      return sound;
    });
  }

  close(): void {
    this.#calls.close();
  }

  #writes({ socket, host }: Connection): void {
    const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
    const noted = (...args: unknown[]): boolean => {
      const before = this.#calls.look();
      const began = now();
      const more = write(...args);
      const ended = now();
      const counted = this.#calls.since(before);
      const numbers = [descriptorOf(socket), host.port, socket.writableLength, ...counted];
      this.#notes.add(NOTE_WRITTEN, began, ended, numbers, args[0] as Uint8Array);
      return more;
    };
    around(socket, 'write', () => noted as Socket['write']);
  }
}

/** Puts another function in place of a method of this one object. */
function around<T extends object, K extends keyof T>(target: T, name: K, wrap: (call: T[K]) => T[K]): void {
  const method = target[name] as (...args: unknown[]) => unknown;
  const value = wrap(method.bind(target) as T[K]);
  Object.defineProperty(target, name, { value, configurable: true, writable: true });
}

/** What the kernel counts of this thread (proc(5), `/proc/thread-self/io`), where it tells. */
class WriteCalls {
  readonly #file = openOrNone('/proc/thread-self/io');
  readonly #text = Buffer.alloc(512);

  /** Calls that write, and bytes that they wrote, since the thread began. */
  look(): [number, number] | undefined {
    if (this.#file === undefined) return undefined;
    const text = this.#text.toString('latin1', 0, readSync(this.#file, this.#text, 0, this.#text.length, 0));
    const calls = /syscw: (\d+)/.exec(text)?.[1];
    const bytes = /wchar: (\d+)/.exec(text)?.[1];
    return calls === undefined || bytes === undefined ? undefined : [Number(calls), Number(bytes)];
  }

  since(before: [number, number] | undefined): [number, number] {
    const after = this.look();
    return before === undefined || after === undefined
      ? [-1, -1]
      : [after[0] - before[0], after[1] - before[1]];
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
  }
}

function openOrNone(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch {
    return undefined;
  }
}
