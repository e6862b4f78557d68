/**
 * Control's part of a slave: runs the replication thread, tells it where the master is, makes queues known of which the
 * log tells first, and takes over the master's tables.
 */

import { MasterTables, type MasterTablesParts } from '../../broker/follow/master-tables.ts';
import type { EscapeReport } from '../../delivery/acting/acting-puts.ts';
import { MAX_QUEUES } from '../../lib/limits.ts';
import type { ControlLog } from '../../lib/log.ts';
import { isAddress } from '../../remoting/address.ts';
import type { MasterState, ReplicationStatus } from '../../replication/status.ts';
import { APPENDED, DISPATCHED, FLUSHED, LOG_START, Positions } from '../../ring/positions.ts';
import { logReports } from '../../ring/reports.ts';
import type { ReplicationCommand, ReplicationReport } from '../replication/replication.thread.ts';
import type { SlaveShape } from '../shapes.ts';
import { spawn, type Thread } from '../spawn.ts';
import type { Acting } from './acting.ts';
import type { Replication } from './replication.ts';

export interface FollowingParts
  extends Omit<MasterTablesParts, 'endsAt' | 'end' | 'isEmpty' | 'beginsAt' | 'durable'> {
  shape: SlaveShape;
  log: ControlLog;
  /** For a master that is away; undefined = it never does. */
  acting: Pick<Acting, 'members' | 'stop'> | undefined;
  escapes: (report: EscapeReport) => void;
  /** Makes the queue known to the dispatcher, before it can see a record of it. False: there is no room for it. */
  nameQueue: (topic: string, queueId: number) => Promise<boolean>;
  /** The own log differs from the master's from this position on. */
  diverged: (position: number) => void;
  /** The own log is empty and begins elsewhere than the master's. */
  beginsElsewhere: (position: number) => void;
  /** The thread has ended and nobody had asked it to. */
  died: (error: Error) => void;
}

export class Following implements Replication {
  #state: MasterState = { address: '', isConnected: false, lastReadAt: 0, lastWriteAt: 0 };
  readonly #parts: FollowingParts;
  readonly #tables: MasterTables;
  #thread: Thread | undefined;
  #isReady = false;
  /** The master's address for slaves: a name server may tell it before the thread is there. */
  #address: string;
  #stopping = false;

  constructor(parts: FollowingParts) {
    this.#address = parts.shape.replication.haMasterAddress;
    this.#parts = parts;
    const endsAt = (position: number) => this.#tell({ kind: 'masterEndsAt', position });
    const positions = new Positions(parts.shape.broker.positions);
    this.#tables = new MasterTables({
      ...parts,
      endsAt,
      durable: () => Math.min(positions.get(FLUSHED), positions.get(DISPATCHED)),
      end: () => positions.get(APPENDED),
      isEmpty: () => positions.get(APPENDED) === positions.get(LOG_START),
      beginsAt: (position) => {
        // Not in the middle of a start: it is asked again in a second.
        if (this.#isReady && position !== positions.get(LOG_START)) this.#beginAt(position);
      },
    });
  }

  get status(): ReplicationStatus {
    return { master: this.#state };
  }

  /** A slave delivers nothing. */
  prepare(): Promise<void> {
    return Promise.resolve();
  }

  /** Resolves when the thread is ready; `haMasterAddress` of the configuration holds whatever name servers say. */
  async start(): Promise<void> {
    const { shape, log, died } = this.#parts;
    const thread = spawn('threads/replication', 'replication', 'replication');
    this.#thread = thread;
    logReports(thread.worker, thread.name, log);
    thread.worker.on('message', (report: ReplicationReport) => this.#heard(report));
    void thread.ended.then((error) => {
      if (!this.#stopping) died(error ?? new Error('the replication thread ended'));
    });
    thread.worker.postMessage(shape);
    await thread.ready;
    this.#isReady = true;
    this.#follow();
  }

  /** What a name server says: the master's address for slaves, and that for clients; '' = there is none now. */
  masterIs(replicationAddress: string, address: string): void {
    const { shape, log } = this.#parts;
    const { haMasterAddress } = shape.replication;
    const wrong = [replicationAddress, address].find((one) => one !== '' && !isAddress(one));
    if (wrong !== undefined) {
      // Whoever registers with a name server tells it what he likes.
      log.warn({ address: wrong }, 'what a name server says to be the address of the master is none');
      return;
    }
    if (replicationAddress !== '' && haMasterAddress === '') {
      this.#address = replicationAddress;
      this.#follow();
    }
    if (address !== '') this.#tables.follow(address);
  }

  members(ids: readonly number[]): void {
    // An answer may be on its way when the broker stops.
    if (!this.#stopping) this.#parts.acting?.members(ids);
  }

  escapes(report: EscapeReport): void {
    this.#parts.escapes(report);
  }

  /** Whether its log follows its master's at this moment. */
  get hearsMaster(): boolean {
    return this.#state.isConnected;
  }

  /** A topic was deleted: what comes of it later asks for its queues again. */
  forget(topic: string): void {
    this.#tell({ kind: 'forget', topic });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#parts.acting?.stop('the broker stops');
    this.#tables.close();
    this.#tell({ kind: 'stop' });
    await this.#thread?.ended;
  }

  async terminate(): Promise<void> {
    this.#stopping = true;
    this.#parts.acting?.stop('the broker stops');
    this.#tables.close();
    await this.#thread?.worker.terminate();
  }

  #beginAt(position: number): void {
    const { shape, log, beginsElsewhere } = this.#parts;
    const { mappedFileSizeCommitLog: fileSize } = shape.broker.store;
    if (position % fileSize === 0) beginsElsewhere(position);
    else {
      const fields = { position, mappedFileSizeCommitLog: fileSize };
      log.error(fields, "the master's log begins where no file of this one can: its files have another size");
    }
  }

  #follow(): void {
    if (this.#isReady && this.#address !== '') this.#tell({ kind: 'follow', address: this.#address });
  }

  #heard(report: ReplicationReport): void {
    if (report.kind === 'master') this.#hearsOf(report.state);
    if (report.kind === 'diverged') this.#parts.diverged(report.position);
    if (report.kind !== 'unknown') return;
    // It is rejected when the broker ends before.
    this.#name(report.topic, report.queueId).catch(() => {});
  }

  /** A master that is back is heard here also while no name server answers. */
  #hearsOf(state: MasterState): void {
    this.#state = state;
    if (state.isConnected) this.#parts.acting?.stop('this slave hears its master');
  }

  async #name(topic: string, queueId: number): Promise<void> {
    const { nameQueue, log } = this.#parts;
    if (!(await nameQueue(topic, queueId))) {
      const fields = { topic, queueId, limit: MAX_QUEUES, name: 'MAX_QUEUES' };
      log.error(fields, 'this slave cannot go on: its master has more queues than fit into one broker');
      return;
    }
    this.#tell({ kind: 'known', topic, queueIds: [queueId] });
    this.#tables.now();
  }

  #tell(command: ReplicationCommand): void {
    this.#thread?.worker.postMessage(command);
  }
}
