/**
 * The send path of a network thread in one thread: handler, acknowledger, and a writer that runs when told to, between
 * plain rings.
 */

import * as assert from 'uvu/assert';
import { Acknowledger } from '../../src/broker/send/acknowledge.ts';
import { RefusalCounts } from '../../src/broker/send/refused-sends.ts';
import { SendHandler } from '../../src/broker/send/send-handler.ts';
import { SendReply } from '../../src/broker/send/send-reply.ts';
import { SlowSends } from '../../src/broker/send/slow-sends.ts';
import type { CreationWait } from '../../src/broker/topics/creation-wait.ts';
import type { TopicDelta } from '../../src/broker/view/deltas.ts';
import { NetworkView } from '../../src/broker/view/network-view.ts';
import type { Connection } from '../../src/net/connection.ts';
import { PendingSends } from '../../src/net/pending-sends.ts';
import { RequestCode } from '../../src/protocol/codes.ts';
import { type RemotingCommand, requestCommand } from '../../src/protocol/command.ts';
import { encodeCommand } from '../../src/protocol/command-codec.ts';
import { RequestView } from '../../src/protocol/request-view.ts';
import type { HostAddress } from '../../src/record/message-id.ts';
import { RecordParts } from '../../src/record/view.ts';
import { acknowledgedBy, DEFAULT_REPLICATION_OPTIONS } from '../../src/replication/options.ts';
import {
  APPEND_BYTES,
  APPEND_COUNT,
  APPEND_HEADER,
  APPEND_QUEUE,
  APPEND_SEQUENCE,
  APPENDED_REPLY,
  REPLY_BYTES,
  REPLY_END,
  REPLY_PHYSICAL_OFFSET,
  REPLY_QUEUE_OFFSET,
  REPLY_SEQUENCE,
  REPLY_STATUS,
} from '../../src/ring/append-records.ts';
import { plainChannel } from '../../src/ring/channel.ts';
import { Counters } from '../../src/ring/counters.ts';
import { Positions, SLAVES_STATE, SLAVES_TOO_FEW } from '../../src/ring/positions.ts';
import { plainRing } from '../../src/ring/spsc-ring.ts';
import { Watermark } from '../../src/ring/watermark.ts';
import { CommitLog } from '../../src/store/log/commit-log.ts';
import { Segments } from '../../src/store/log/segments.ts';
import { QueueDirectory } from '../../src/store/queue/queue-directory.ts';
import { QueueFiles } from '../../src/store/read/queue-files.ts';
import { SimDisk } from '../sim/sim-disk.ts';
import { CountedCalls } from './counted-calls.ts';
import { fakeConnection } from './fake-connection.ts';
import { STORE_HOST } from './messages.ts';

export const SUFFIX = 'MSG_REGION\x01DefaultRegion\x02TRACE_ON\x01true\x02CLUSTER\x01DefaultCluster\x02';
const FILE_SIZE = 16 * 1024 * 1024;

export function topicDelta(name: string, more: Partial<TopicDelta> = {}): TopicDelta {
  const queues = [1, 2, 3, 4];
  const numbers = { perm: 6, readQueueNums: 4, writeQueueNums: 4, queues };
  return { kind: 'topic', name, order: false, priority: false, lite: false, ...numbers, ...more };
}

/** Fields of SEND_MESSAGE_V2. */
export function sendFields(more: Record<string, string> = {}): Record<string, string> {
  return { a: 'P', b: 'T', c: 'TBW102', d: '4', e: '0', f: '0', g: '1700000000000', h: '0', ...more };
}

interface RigSetup {
  syncFlush?: boolean;
  /** Of a SYNC_MASTER: slaves are waited for. */
  slaves?: boolean;
  slow?: SlowSends;
  pending?: number;
  ringBytes?: number;
  slabBytes?: number;
  storeHost?: HostAddress;
}

export class SendRig {
  readonly client = fakeConnection();
  readonly positions = new Positions();
  readonly sends: PendingSends;
  readonly view: NetworkView;
  readonly forwarded: Buffer[] = [];
  readonly awaited: string[] = [];
  /** Earlier sends to whatever topic wait for it to be made. */
  awaitsTopic = false;
  /** Where sends to topics that do not exist wait, instead of being noted in `awaited`. */
  creation: CreationWait | undefined;
  readonly handler: SendHandler;
  readonly acknowledger: Acknowledger;
  readonly counters = Counters.unread();
  readonly counted = new CountedCalls();
  readonly refusals = new RefusalCounts();
  now = 1000;
  /** Ms since the epoch. */
  wallTime = 1_700_000_000_000;
  /** Connections that closed are no longer found. */
  connected = true;
  readonly disk = new SimDisk();
  readonly segments = new Segments(this.disk, '/log', FILE_SIZE);
  readonly directory = QueueDirectory.plain(64);
  readonly log: CommitLog;
  readonly #send: ReturnType<typeof plainChannel>;
  readonly #replies = plainRing(64 * 1024);
  readonly #request = new RequestView();

  constructor(setup: RigSetup = {}) {
    const {
      syncFlush = false,
      slaves = false,
      pending = 64,
      ringBytes = 1024 * 1024,
      slabBytes = 1024 * 1024,
    } = setup;
    const { storeHost = STORE_HOST } = setup;
    this.#send = plainChannel({ ringBytes, slabs: 2, slabBytes });
    this.sends = new PendingSends(pending);
    this.log = new CommitLog(this.segments, this.positions, this.directory, {
      position: 0,
      storeTimestamp: 1,
    });
    this.view = new NetworkView((topic, queueId, id) => ({
      id,
      files: new QueueFiles(this.disk, '/queues', 6000, topic, queueId),
    }));
    this.view.apply(topicDelta('T'));
    this.handler = new SendHandler({
      writer: this.#send.sender,
      sends: this.sends,
      view: this.view,
      storeHost,
      marks: { regionId: 'DefaultRegion', clusterName: 'DefaultCluster' },
      rules: () => ({ ...this.view.settings.waiting, timerMaxDelaySec: 3_600 }),
      brokerName: 'broker-a',
      wallClock: () => this.wallTime,
      makeUniqueKey: () => '0A00000900000000000000000000ABCD',
      lacksCopies: () => !this.positions.differs(SLAVES_STATE, SLAVES_TOO_FEW),
      maxMessageSize: 512 * 1024,
      now: () => this.now,
      ...{ counters: this.counters, calls: this.counted.calls },
      refusals: this.refusals,
      toControl: (_connection, bytes, offset, length) => {
        this.forwarded.push(Buffer.from(bytes.slice(offset, offset + length)));
        return 0;
      },
      isAwaited: (request, fields) => this.creation?.isAwaited(request, fields) ?? this.awaitsTopic,
      isTopicAwaited: (name) => this.creation?.isTopicAwaited(name) ?? this.awaitsTopic,
      awaitLite: (connection, request, queue, offset, length) => {
        if (this.creation !== undefined)
          return this.creation.lite(connection, request, queue, offset, length);
        this.awaited.push(queue);
        return 0;
      },
      awaitTopic: (connection, request, fields, offset, length) => {
        if (this.creation !== undefined)
          return this.creation.topic(connection, request, fields, offset, length);
        this.awaited.push(request.fields.text(fields.topic));
        return 0;
      },
    });
    this.acknowledger = new Acknowledger({
      replies: this.#replies.consumer,
      sends: this.sends,
      positions: this.positions,
      ...{ counters: this.counters, calls: this.counted.calls },
      refusals: this.refusals,
      slow: setup.slow ?? new SlowSends(0),
      slaveTimeout: 3_000,
      confirmed: new Watermark(
        this.positions,
        acknowledgedBy(
          { flushDiskType: syncFlush ? 'SYNC_FLUSH' : 'ASYNC_FLUSH' },
          {
            ...DEFAULT_REPLICATION_OPTIONS,
            ...(slaves ? { brokerRole: 'SYNC_MASTER', inSyncReplicas: 2 } : {}),
          },
        ),
      ),
      reply: new SendReply({
        storeHost,
        regionId: 'DefaultRegion',
        traceOn: () => this.view.settings.traceOn,
      }),
      connectionOf: () => (this.connected ? this.client.connection : undefined),
      touched: () => {},
    });
  }

  /** Sends a command as the client; CUT_ALL or CUT_BLOCKED. */
  send(
    more: Partial<RemotingCommand> & { fields: Record<string, string> },
    to = this.client.connection,
  ): number {
    const command = { ...requestCommand(RequestCode.SEND_MESSAGE_V2), body: Buffer.from('hello'), ...more };
    return this.sendFrame(encodeCommand(command).subarray(4), to);
  }

  sendFrame(frame: Uint8Array, to: Connection = this.client.connection): number {
    const copy = Uint8Array.from(frame);
    const view = new DataView(copy.buffer);
    if (!this.#request.read(copy, view, 0, copy.length)) throw new Error('the test made no command');
    const outcome = this.handler.handle(to, this.#request, 0, copy.length);
    this.handler.publish();
    return outcome;
  }

  /** The writer's turn; returns how many requests it took. */
  write(): number {
    const { receiver } = this.#send;
    let taken = 0;
    while (receiver.next()) {
      this.#append();
      taken++;
    }
    this.log.publish();
    receiver.release();
    this.#replies.producer.publish();
    return taken;
  }

  #append(): void {
    const { view, offset, bulk } = this.#send.receiver;
    // The log of this rig lies in plain memory.
    const source = { ...bulk, region: 0 };
    const status = this.log.appendBatch(
      source,
      offset + APPEND_HEADER,
      view.getInt32(offset + APPEND_BYTES, true),
      view.getInt32(offset + APPEND_COUNT, true),
      view.getInt32(offset + APPEND_QUEUE, true),
    );
    const { producer } = this.#replies;
    const at = producer.claim(APPENDED_REPLY, REPLY_BYTES);
    producer.view.setInt32(at + REPLY_SEQUENCE, view.getInt32(offset + APPEND_SEQUENCE, true), true);
    producer.view.setInt32(at + REPLY_STATUS, status, true);
    producer.view.setFloat64(at + REPLY_QUEUE_OFFSET, this.log.queueOffset, true);
    producer.view.setFloat64(at + REPLY_PHYSICAL_OFFSET, this.log.physicalOffset, true);
    producer.view.setFloat64(at + REPLY_END, this.log.position, true);
    producer.commit();
  }

  drain(): RemotingCommand[] {
    this.acknowledger.drain(this.now);
    return this.client.replies();
  }

  /** The record at a position of the log. */
  record(position: number): Uint8Array {
    const mapping = this.segments.at(position);
    if (mapping === undefined) throw new Error(`no file at ${position}`);
    return mapping.bytes.slice(position, position + mapping.view.getInt32(position));
  }
}

/** Code and remark of the one reply. */
export function refusal(rig: SendRig): [code: number, remark: string | undefined] {
  const [reply, ...others] = rig.client.replies();
  assert.is(others.length, 0);
  return [reply?.code ?? -1, reply?.remark];
}

/** A stored message's properties, as stored. */
export function propertiesOf(record: Uint8Array): string {
  const parts = new RecordParts();
  assert.ok(parts.locate(new DataView(record.buffer), 0, record.length));
  return Buffer.from(record).toString('utf8', parts.propertiesOffset);
}

/** One item of a client's batch body. */
export function batchItem(body: string, properties: string): Buffer {
  const bytes = Buffer.alloc(22 + body.length + properties.length);
  bytes.writeInt32BE(bytes.length, 0);
  bytes.writeInt32BE(body.length, 16);
  bytes.write(body, 20);
  bytes.writeInt16BE(properties.length, 20 + body.length);
  bytes.write(properties, 22 + body.length);
  return bytes;
}
