/**
 * Control's part of a master: listens for slaves, starts the replication thread with the first of them, and knows how
 * far each has come. A master without slaves has a port that is listened on, and nothing else.
 */
import { closeSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { MAX_SLAVES } from '../../lib/limits.ts';
import type { ControlLog } from '../../lib/log.ts';
import { addon } from '../../native/addon.ts';
import { descriptorOf } from '../../net/read-buffer.ts';
import { slavesState } from '../../replication/options.ts';
import type { ReplicationStatus, SlaveState } from '../../replication/status.ts';
import { APPENDED, Positions, SLAVES_STATE, SLAVES_TOO_FEW } from '../../ring/positions.ts';
import { logReports } from '../../ring/reports.ts';
import type { ReplicationCommand, ReplicationReport } from '../replication/replication.thread.ts';
import type { MasterShape } from '../shapes.ts';
import { spawn, type Thread } from '../spawn.ts';
import type { Replication } from './replication.ts';
import { waitWhile } from './stop-steps.ts';

/** A stop waits so long for slaves to have the end of the log. */
const LAST_BYTES_MS = 3_000;
const LOOK_MS = 20;

export interface SlavesParts {
  shape: MasterShape;
  log: ControlLog;
  prepare: () => Promise<void>;
}

export class Slaves implements Replication {
  /** As of the last quarter of a second. */
  #states: readonly SlaveState[] = [];
  readonly #parts: SlavesParts;
  readonly #server: Server;
  #thread: Thread | undefined;
  #isReady = false;
  /** Descriptors of connections, until the thread has come up. */
  readonly #waiting: number[] = [];
  #stopping = false;
  /** Messages are refused for want of copies, which has been said. */
  #refuses = false;
  readonly #positions: Positions;

  constructor(parts: SlavesParts) {
    this.#parts = parts;
    this.#positions = new Positions(parts.shape.broker.positions);
    this.#noSlaves();
    this.#server = createServer({ pauseOnConnect: true }, (socket) => {
      const duplicate = addon.duplicateDescriptor(descriptorOf(socket));
      socket.destroy();
      if (duplicate >= 0) this.#take(duplicate);
    });
    this.#server.on('error', (error) => {
      if (!this.#server.listening) throw error;
      parts.log.warn({ reason: error.message }, 'a slave could not be let in');
    });
  }

  get status(): ReplicationStatus {
    return { slaves: this.#states };
  }

  prepare(): Promise<void> {
    return this.#parts.prepare();
  }

  start(descriptor: number | undefined): Promise<void> {
    if (descriptor !== undefined) this.#server.listen({ fd: descriptor });
    return Promise.resolve();
  }

  /** A master asks nobody. */
  masterIs(): void {}

  members(): void {}

  escapes(): void {}

  /** Ends it when the slaves that keep up have the whole log; resolves when the thread has ended. */
  async stop(): Promise<void> {
    this.#server.close();
    await waitWhile(() => this.#lastBytesUnderWay(), LAST_BYTES_MS, LOOK_MS);
    this.#stopping = true;
    this.#tell({ kind: 'stop' });
    if (this.#thread !== undefined && !this.#isReady) await this.#thread.worker.terminate();
    await this.#thread?.ended;
    this.#closeWaiting();
  }

  /** Ends it where it is. */
  async terminate(): Promise<void> {
    this.#stopping = true;
    this.#server.close();
    await this.#thread?.worker.terminate();
    this.#closeWaiting();
  }

  #lastBytesUnderWay(): boolean {
    const end = this.#positions.get(APPENDED);
    return this.#states.some(({ inSync, acknowledged }) => inSync && acknowledged < end);
  }

  #take(descriptor: number): void {
    if (this.#stopping || this.#waiting.length >= MAX_SLAVES) {
      closeSync(descriptor);
      return;
    }
    if (this.#isReady) {
      this.#tell({ kind: 'adopt', descriptor });
      return;
    }
    this.#waiting.push(descriptor);
    this.#startThread();
  }

  #startThread(): void {
    if (this.#thread !== undefined) return;
    const { log, shape } = this.#parts;
    let thread: Thread;
    try {
      thread = spawn('threads/replication', 'replication', 'replication');
    } catch (error) {
      // The system makes no more threads for this user. The slave tries again.
      log.warn({ reason: (error as Error).message }, 'slaves cannot be fed now');
      this.#closeWaiting();
      return;
    }
    this.#thread = thread;
    logReports(thread.worker, thread.name, log);
    thread.worker.on('message', (report: ReplicationReport) => {
      if (report.kind !== 'slaves') return;
      this.#states = report.slaves;
      this.#tellOfCopies();
    });
    thread.worker.postMessage(shape);
    void thread.ready.then(
      () => this.#ready(),
      () => {},
    );
    void thread.ended.then((error) => this.#ended(error));
  }

  /** Slaves come again, and with the first of them a new thread. */
  #ended(error: Error | undefined): void {
    this.#states = [];
    if (this.#stopping) return;
    const reason = error?.message ?? 'it ended';
    this.#parts.log.error(
      { reason },
      'the thread that feeds slaves has died, and starts again with the next slave',
    );
    this.#thread = undefined;
    this.#isReady = false;
    this.#closeWaiting();
    this.#noSlaves();
  }

  /** While the thread is not there that says so. */
  #noSlaves(): void {
    this.#positions.set(SLAVES_STATE, slavesState(this.#parts.shape.replication, 0));
    this.#tellOfCopies();
  }

  /** One line when messages begin to be refused for want of copies, and one when they are taken again. */
  #tellOfCopies(): void {
    const refuses = !this.#positions.differs(SLAVES_STATE, SLAVES_TOO_FEW);
    if (refuses === this.#refuses || this.#stopping) return;
    this.#refuses = refuses;
    const { log, shape } = this.#parts;
    const { minInSyncReplicas } = shape.replication;
    const fields = { minInSyncReplicas, inSync: this.#states.filter(({ inSync }) => inSync).length + 1 };
    if (refuses) log.error(fields, 'messages are refused: fewer copies are in sync than minInSyncReplicas');
    else log.info(fields, 'messages are taken again: enough copies are in sync');
  }

  #ready(): void {
    this.#isReady = true;
    for (const descriptor of this.#waiting.splice(0)) this.#tell({ kind: 'adopt', descriptor });
  }

  #tell(command: ReplicationCommand): void {
    if (this.#isReady) this.#thread?.worker.postMessage(command);
  }

  #closeWaiting(): void {
    for (const descriptor of this.#waiting.splice(0)) closeSync(descriptor);
  }
}
