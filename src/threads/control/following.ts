/**
 * Control's part of a slave: runs the replication thread, tells it where the master is, makes queues known of which the
 * log tells first, and takes over the master's tables.
 */
import { MasterTables, type MasterTablesParts } from '../../broker/follow/master-tables.ts';
import type { ControlLog } from '../../lib/log.ts';
import { logReports } from '../../ring/reports.ts';
import type { ReplicationCommand, ReplicationReport } from '../replication/replication.thread.ts';
import type { MasterState } from '../replication/slave-agent.ts';
import type { SlaveShape } from '../shapes.ts';
import { spawn, type Thread } from '../spawn.ts';
import type { Replication } from './replication.ts';

export interface FollowingParts extends MasterTablesParts {
  shape: SlaveShape;
  log: ControlLog;
  /** Makes the queue known to the dispatcher, before it can see a record of it. */
  nameQueue: (topic: string, queueId: number) => void;
  /** The thread has ended and nobody had asked it to. */
  died: (error: Error) => void;
}

export class Following implements Replication {
  state: MasterState = { address: '', isConnected: false, lastReadAt: 0, lastWriteAt: 0 };
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
    this.#tables = new MasterTables(parts);
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
    const { haMasterAddress } = this.#parts.shape.replication;
    if (replicationAddress !== '' && haMasterAddress === '') {
      this.#address = replicationAddress;
      this.#follow();
    }
    if (address !== '') this.#tables.follow(address);
  }

  /** A topic was deleted: what comes of it later asks for its queues again. */
  forget(topic: string): void {
    this.#tell({ kind: 'forget', topic });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#tables.close();
    this.#tell({ kind: 'stop' });
    await this.#thread?.ended;
  }

  async terminate(): Promise<void> {
    this.#stopping = true;
    this.#tables.close();
    await this.#thread?.worker.terminate();
  }

  #follow(): void {
    if (this.#isReady && this.#address !== '') this.#tell({ kind: 'follow', address: this.#address });
  }

  #heard(report: ReplicationReport): void {
    if (report.kind === 'master') this.state = report.state;
    if (report.kind !== 'unknown') return;
    const { topic, queueId } = report;
    this.#parts.nameQueue(topic, queueId);
    this.#tell({ kind: 'known', topic, queueIds: [queueId] });
    this.#tables.now();
  }

  #tell(command: ReplicationCommand): void {
    this.#thread?.worker.postMessage(command);
  }
}
