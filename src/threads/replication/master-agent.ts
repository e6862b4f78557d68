/**
 * A master's replication thread: the sockets of its slaves. It is woken by the writer when the log has grown, and by
 * its sockets; senders and consumers are never in its way.
 */
import { Socket } from 'node:net';
import { systemClock } from '../../lib/clock.ts';
import { Feeds } from '../../replication/master/feeds.ts';
import type { FeedSocket } from '../../replication/master/slave-feed.ts';
import type { SlaveState } from '../../replication/status.ts';
import { LOG_START, Positions } from '../../ring/positions.ts';
import { reportingLog } from '../../ring/reports.ts';
import { wakerOf } from '../../ring/wake.ts';
import { nativeDisk } from '../../store/disk/native-disk.ts';
import { Segments } from '../../store/log/segments.ts';
import type { MasterShape } from '../shapes.ts';
import { servedLog } from './served-log.ts';

/** A look at the clock: heartbeats, rates, slaves that are silent. */
const TICK_MS = 250;

export class MasterAgent {
  readonly #positions: Positions;
  readonly #segments: Segments;
  readonly #feeds: Feeds;
  readonly #sockets = new Set<Socket>();
  readonly #timer: NodeJS.Timeout;
  readonly #tell: (slaves: SlaveState[]) => void;
  #logStart = 0;

  /** `tell`: hears of all slaves with every tick. */
  constructor({ broker, replication }: MasterShape, tell: (slaves: SlaveState[]) => void) {
    const { store, wakes } = broker;
    this.#tell = tell;
    this.#positions = new Positions(broker.positions);
    this.#segments = new Segments(nativeDisk, store.commitLogDirectory, store.mappedFileSizeCommitLog);
    const waiting = [...wakes.network, wakes.control, wakes.delivery].map((wake) => wakerOf(wake));
    this.#feeds = new Feeds({
      log: servedLog(this.#segments, this.#positions),
      positions: this.#positions,
      options: replication,
      now: systemClock.monotonic,
      lines: reportingLog,
      news: () => {
        for (const wake of waiting) wake();
      },
    });
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** The bell: the log has grown. */
  rung(): void {
    this.#feeds.pump();
  }

  /** A connection that control has accepted. */
  adopt(descriptor: number): void {
    const socket = new Socket({ fd: descriptor });
    const host = socket.remoteAddress ?? '';
    const feed = this.#feeds.open(host, socket.remotePort ?? 0, feedSocket(socket));
    if (feed === undefined) {
      socket.destroy();
      return;
    }
    let why = '';
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('data', (bytes) => feed.received(bytes));
    socket.on('error', (error) => {
      why = error.message;
    });
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.#feeds.closed(feed, why);
    });
  }

  close(): void {
    clearInterval(this.#timer);
    for (const socket of this.#sockets) socket.destroy();
    this.#segments.close();
  }

  #tick(): void {
    this.#feeds.tick();
    this.#tell(this.#feeds.states());
    const start = this.#positions.get(LOG_START);
    if (start === this.#logStart) return;
    // What a slave is being sent stays mapped until the kernel has it.
    if (this.#segments.dropBefore(start, (file) => this.#feeds.isPinned(file)) === 0) this.#logStart = start;
  }
}

function feedSocket(socket: Socket): FeedSocket {
  return {
    send: (pieces, taken) => {
      socket.cork();
      pieces.forEach((piece, index) => {
        if (index < pieces.length - 1) socket.write(piece);
        else socket.write(piece, (error) => error ?? taken());
      });
      socket.uncork();
    },
    close: () => void socket.destroy(),
  };
}
