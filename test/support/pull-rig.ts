/** The pull path of a network thread over a store in memory. */

import { AnnouncedSubscriptions } from '../../src/broker/pull/announced-subscriptions.ts';
import { PullFilters } from '../../src/broker/pull/pull-filters.ts';
import { PullHandler } from '../../src/broker/pull/pull-handler.ts';
import { PullHold } from '../../src/broker/pull/pull-hold.ts';
import type { SkippedMessages } from '../../src/broker/pull/unreadable.ts';
import type { GroupDelta } from '../../src/broker/view/deltas.ts';
import { NetworkView } from '../../src/broker/view/network-view.ts';
import { RequestCode } from '../../src/protocol/codes.ts';
import { type RemotingCommand, requestCommand } from '../../src/protocol/command.ts';
import { encodeCommand } from '../../src/protocol/command-codec.ts';
import { RequestView } from '../../src/protocol/request-view.ts';
import { decodeRecord } from '../../src/record/decode.ts';
import { Counters } from '../../src/ring/counters.ts';
import { StepClock } from '../../src/ring/step-clock.ts';
import type { StoreOptions } from '../../src/store/options.ts';
import { QueueDirectory, SLOT_BYTES } from '../../src/store/queue/queue-directory.ts';
import type { SimDisk } from '../sim/sim-disk.ts';
import { CountedCalls } from './counted-calls.ts';
import { type FakeConnection, fakeConnection } from './fake-connection.ts';
import { headFor, type SmallStore, smallStore } from './messages.ts';

/** A queue directory that calls `before` ahead of whatever a reader asks of it. */
export class WatchedDirectory extends QueueDirectory {
  before: () => void = () => {};

  constructor() {
    super(new ArrayBuffer(64 * SLOT_BYTES));
  }

  override maximum(queue: number): number {
    this.before();
    return super.maximum(queue);
  }

  override minimum(queue: number): number {
    this.before();
    return super.minimum(queue);
  }

  override addInterest(queue: number, thread: number): void {
    this.before();
    super.addInterest(queue, thread);
  }
}

export const FULL_READ = { consumerGroup: 'g', topic: 'T', queueId: '0', queueOffset: '0', maxMsgNums: '32' };
/** Suspend allowed, subscription text in the request. */
export const MAY_WAIT = 2 | 4;

export function pullFields(more: Record<string, string> = {}): Record<string, string> {
  return {
    ...FULL_READ,
    sysFlag: String(MAY_WAIT),
    commitOffset: '0',
    suspendTimeoutMillis: '15000',
    subVersion: '0',
    subscription: '*',
    ...more,
  };
}

/** The bodies of the messages in a pull's reply. */
export function bodiesOf(body: Uint8Array = new Uint8Array(0)): string[] {
  const bodies: string[] = [];
  for (let at = 0; at < body.length; ) {
    const size = new DataView(body.buffer, body.byteOffset + at).getInt32(0);
    const record = decodeRecord(Uint8Array.from(body.subarray(at, at + size)));
    bodies.push(Buffer.from(record?.body ?? []).toString());
    at += size;
  }
  return bodies;
}

export function groupDelta(name: string, more: Partial<GroupDelta> = {}): GroupDelta {
  return {
    kind: 'group',
    name,
    id: 1,
    consumeEnable: true,
    consumeBroadcastEnable: true,
    brokerId: 0,
    whichBrokerWhenConsumeSlowly: 1,
    lite: undefined,
    forbidden: [],
    ...more,
  };
}

const QUEUES = 2;

export class PullRig {
  readonly directory = new WatchedDirectory();
  readonly opened: SmallStore;
  readonly hold = new PullHold();
  readonly view: NetworkView;
  readonly handler: PullHandler;
  readonly counted = new CountedCalls();
  /** group, queue, commit offset, pull offset */
  readonly progress: [string, number, number, number][] = [];
  readonly resetsTaken: string[] = [];
  readonly coldReads: [group: string, bytes: number][] = [];
  readonly given: [group: string, topic: string, messages: number, bytes: number][] = [];
  readonly awaited: string[] = [];
  readonly skipped: SkippedMessages[] = [];
  readonly client: FakeConnection = fakeConnection(3, 7);
  connected = true;
  progressFits = true;
  now = 1000;
  readonly #request = new RequestView();

  constructor(options: Partial<StoreOptions> = {}, disk?: SimDisk) {
    this.opened = smallStore(options, disk, undefined, this.directory);
    const { store } = this.opened;
    for (let i = 0; i < QUEUES; i++) store.append('T', headFor(i), Buffer.from('first'), '');
    const queues = [0, 1].map((queueId) => store.queue('T', queueId)?.id ?? 0);
    const files = (id: number) => {
      const queue = store.queue('T', queues.indexOf(id));
      if (queue === undefined) throw new Error(`no queue ${id}`);
      return queue;
    };
    this.view = new NetworkView((_topic, _queueId, id) => files(id));
    this.view.apply({
      kind: 'topic',
      name: 'T',
      perm: 6,
      order: false,
      readQueueNums: QUEUES,
      writeQueueNums: QUEUES,
      priority: false,
      lite: false,
      queues,
    });
    this.view.apply(groupDelta('g'));
    this.handler = new PullHandler({
      view: this.view,
      reader: store.pull,
      directory: this.directory,
      hold: this.hold,
      filters: new PullFilters(
        new AnnouncedSubscriptions(
          () => true,
          () => this.now,
        ),
        () => this.view.settings.enablePropertyFilter,
      ),
      thread: 5,
      now: () => this.now,
      counters: Counters.unread(),
      calls: this.counted.calls,
      reading: new StepClock('read', { limitMs: 0, counters: Counters.unread() }),
      progress: (group, queue, commit, pull) => {
        if (this.progressFits) this.progress.push([group.config.name, queue, commit, pull]);
        return this.progressFits;
      },
      coldRead: (group, bytes) => this.coldReads.push([group, bytes]),
      given: (group, topic, messages, bytes) => this.given.push([group, topic, messages, bytes]),
      resetTaken: (group, topic, queueId) => this.resetsTaken.push(`${group}/${topic}/${queueId}`),
      awaitGroup: (_connection, _request, name) => {
        this.awaited.push(name);
        return 0;
      },
      connectionOf: (slot, generation) =>
        this.connected && slot === 3 && generation === 7 ? this.client.connection : undefined,
      touched: () => {},
      guarded: (_, run) => run(),
      clock: () => this.now,
      skipped: (skipped) => this.skipped.push(skipped),
      endOfTurn: () => {},
    });
  }

  /** Directory id of a queue of T. */
  id(queueId = 0): number {
    return this.opened.store.queue('T', queueId)?.id ?? 0;
  }

  put(body = 'x', tag = '', queueId = 0): void {
    const properties = tag === '' ? '' : `TAGS\x01${tag}\x02`;
    this.opened.store.append('T', headFor(queueId), Buffer.from(body), properties);
  }

  /** Dispatches, and tells the handler of arrivals as a dispatcher thread would. */
  dispatch(): void {
    const waiting = [0, 1].filter((queueId) => this.takeInterest(queueId));
    const before = waiting.map((queueId) => this.directory.maximum(this.id(queueId)));
    this.opened.store.dispatch();
    for (const [i, queueId] of waiting.entries()) {
      if (this.directory.maximum(this.id(queueId)) > (before[i] ?? 0)) this.handler.arrived(this.id(queueId));
      else this.directory.addInterest(this.id(queueId), 5);
    }
    this.handler.serve();
  }

  /** Whether this network thread wants to hear of the queue; clears the wish. */
  takeInterest(queueId = 0): boolean {
    return (this.directory.takeInterest(this.id(queueId)) & (1 << 5)) !== 0;
  }

  /** Pulls as the client; CUT_ALL or CUT_BLOCKED. */
  pull(fields: Record<string, string> = pullFields(), more: Partial<RemotingCommand> = {}): number {
    const command = { ...requestCommand(RequestCode.PULL_MESSAGE, fields), ...more };
    const frame = Uint8Array.from(encodeCommand(command).subarray(4));
    if (!this.#request.read(frame, new DataView(frame.buffer), 0, frame.length))
      throw new Error('no command');
    return this.handler.handle(this.client.connection, this.#request, 0, frame.length);
  }

  /** Code, next offset and remark of each reply since the last call. */
  answers(): [code: number, next: number, remark: string | undefined][] {
    return this.client
      .replies()
      .map(({ code, fields, remark }) => [code, Number(fields['nextBeginOffset']), remark]);
  }
}
