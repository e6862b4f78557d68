/**
 * A slave's replication thread: the one socket to its master. It is woken by the writer when it has taken something,
 * and by the flusher when that is durable.
 */
import { connect, type Socket } from 'node:net';
import { systemClock } from '../../lib/clock.ts';
import { addon } from '../../native/addon.ts';
import { parseAddress } from '../../remoting/address.ts';
import { Follower } from '../../replication/slave/follower.ts';
import { KnownQueues } from '../../replication/slave/known-queues.ts';
import type { MasterSocket, MasterStream } from '../../replication/slave/master-stream.ts';
import { RawPuts } from '../../replication/slave/raw-puts.ts';
import type { UnknownQueue } from '../../replication/slave/record-cutter.ts';
import type { MasterState } from '../../replication/status.ts';
import { ChannelSender } from '../../ring/channel.ts';
import { APPENDED, LOG_START, Positions } from '../../ring/positions.ts';
import { report } from '../../ring/reports.ts';
import { RingConsumer } from '../../ring/spsc-ring.ts';
import { wakerOf } from '../../ring/wake.ts';
import { Watermark } from '../../ring/watermark.ts';
import { nativeDisk } from '../../store/disk/native-disk.ts';
import type { ParticipantShape } from '../../store/engine-shapes.ts';
import { Segments } from '../../store/log/segments.ts';
import { confirmedBy, maxRecordBytes } from '../../store/options.ts';
import type { SlaveShape } from '../shapes.ts';
import { servedLog } from './served-log.ts';

const TICK_MS = 250;
/** Between two tries to reach the master. */
const RETRY_MS = 1_000;
const CONNECT_MS = 3_000;

export interface SlaveAgentParts {
  ask: (queue: UnknownQueue) => void;
  /** The own log is to be cut at this position; nothing more is done until it is. */
  diverged: (position: number) => void;
  tell: (state: MasterState) => void;
}

export class SlaveAgent {
  readonly #positions: Positions;
  readonly #segments: Segments;
  readonly #known = new KnownQueues();
  readonly #follower: Follower;
  readonly #timer: NodeJS.Timeout;
  readonly #tell: (state: MasterState) => void;
  readonly #state: MasterState = { address: '', isConnected: false, lastReadAt: 0, lastWriteAt: 0 };
  #socket: Socket | undefined;
  /** Ms of the monotonic clock before which no connection is tried. */
  #restsUntil = 0;
  #logStart = 0;
  /** No connection is made any more. */
  #isClosed = false;

  constructor({ broker, replication, number, queues }: SlaveShape, { ask, tell, diverged }: SlaveAgentParts) {
    const { store, wakes } = broker;
    const { send, replies } = broker.participants[number] as ParticipantShape;
    const wakeWriter = wakerOf(wakes.writer);
    this.#tell = tell;
    this.#positions = new Positions(broker.positions);
    this.#segments = new Segments(nativeDisk, store.commitLogDirectory, store.mappedFileSizeCommitLog);
    for (const { topic, queueId } of queues) this.#known.add(topic, queueId);
    const confirmed = new Watermark(this.#positions, confirmedBy(store));
    this.#follower = new Follower({
      log: servedLog(this.#segments, this.#positions),
      options: replication,
      maxRecord: maxRecordBytes(store),
      known: this.#known,
      puts: new RawPuts(ChannelSender.join(send, wakeWriter), RingConsumer.join(replies, wakeWriter)),
      crc: (bytes, offset, length) => addon.crcOfBytes(bytes, offset, length),
      now: systemClock.monotonic,
      confirmed: () => confirmed.position,
      ask,
      diverged: (position) => {
        this.#isClosed = true;
        diverged(position);
      },
      ended: (why) => this.#ended(why),
    });
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** Where the master is; another address ends the connection. */
  follow(address: string): void {
    if (address === this.#state.address) return;
    this.#state.address = address;
    this.#restsUntil = 0;
    if (this.#socket === undefined) this.#connect();
    else this.#socket.destroy();
  }

  /** The dispatcher knows these queues. */
  knows(topic: string, queueIds: readonly number[]): void {
    for (const queueId of queueIds) this.#known.add(topic, queueId);
    this.#follower.work();
  }

  masterEndsAt(position: number): void {
    this.#follower.masterEndsAt(position);
  }

  forget(topic: string): void {
    this.#known.forget(topic);
  }

  /** The bell: the writer has taken something, or there is room, or the log is safer. */
  rung(): void {
    this.#follower.work();
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#socket?.destroy();
    this.#segments.close();
  }

  #tick(): void {
    this.#follower.tick();
    this.#connect();
    this.#tell({ ...this.#state });
    const start = this.#positions.get(LOG_START);
    if (start === this.#logStart) return;
    this.#logStart = start;
    this.#segments.dropBefore(start);
  }

  #connect(): void {
    const { address } = this.#state;
    const rests = systemClock.monotonic() < this.#restsUntil;
    if (this.#isClosed || address === '' || this.#socket !== undefined || rests || !this.#follower.ready)
      return;
    const { host, port } = parseAddress(address);
    const socket = connect({ host, port, noDelay: true });
    this.#socket = socket;
    let why = 'it has closed the connection';
    let stream: MasterStream | undefined;
    const late = setTimeout(() => socket.destroy(new Error('no connection within 3 s')), CONNECT_MS);
    socket.on('connect', () => {
      clearTimeout(late);
      this.#state.isConnected = true;
      report(
        { master: address, from: this.#positions.get(APPENDED) },
        'this slave follows its master',
        'info',
      );
      stream = this.#follower.open(this.#masterSocket(socket));
    });
    socket.on('data', (bytes) => {
      this.#state.lastReadAt = systemClock.now();
      stream?.received(bytes);
    });
    socket.on('error', (error) => {
      why = error.message;
    });
    socket.on('close', () => {
      clearTimeout(late);
      this.#socket = undefined;
      if (stream === undefined) this.#ended(why);
      else this.#follower.closed(why);
    });
  }

  #masterSocket(socket: Socket): MasterSocket {
    return {
      send: (bytes) => {
        this.#state.lastWriteAt = systemClock.now();
        socket.write(bytes);
      },
      pause: () => void socket.pause(),
      resume: () => void socket.resume(),
      close: () => void socket.destroy(),
    };
  }

  #ended(reason: string): void {
    this.#state.isConnected = false;
    this.#restsUntil = systemClock.monotonic() + RETRY_MS;
    if (this.#isClosed) return;
    report(
      { master: this.#state.address, reason },
      'this slave does not follow its master now, and tries on',
    );
  }
}
