/** How a network thread's handlers are put together; each function makes one of them. */

import { DeliveryQuestions } from '../../broker/delivery-questions.ts';
import type { ControlLink } from '../../broker/link/control-link.ts';
import { LiteRequests } from '../../broker/lite/lite-requests.ts';
import { PopReplies } from '../../broker/pop/pop-replies.ts';
import { PopRequests } from '../../broker/pop/pop-requests.ts';
import type { AnnouncedSubscriptions } from '../../broker/pull/announced-subscriptions.ts';
import { PullFilters } from '../../broker/pull/pull-filters.ts';
import { PullHandler } from '../../broker/pull/pull-handler.ts';
import type { PullHold } from '../../broker/pull/pull-hold.ts';
import { Acknowledger } from '../../broker/send/acknowledge.ts';
import type { RefusalCounts } from '../../broker/send/refused-sends.ts';
import { SendHandler } from '../../broker/send/send-handler.ts';
import { SendReply } from '../../broker/send/send-reply.ts';
import type { SlowSends } from '../../broker/send/slow-sends.ts';
import type { Calls } from '../../broker/stats/calls.ts';
import type { GivenCounts } from '../../broker/stats/given.ts';
import type { CreationWait } from '../../broker/topics/creation-wait.ts';
import type { NetworkView } from '../../broker/view/network-view.ts';
import { systemClock } from '../../lib/clock.ts';
import { MAX_CHANNEL_BACKLOG_BYTES } from '../../lib/limits.ts';
import { UniqueIds } from '../../lib/unique-id.ts';
import { reviveTopicOf } from '../../metadata/system-topics.ts';
import type { Connection } from '../../net/connection.ts';
import type { PendingSends } from '../../net/pending-sends.ts';
import type { HostAddress } from '../../record/message-id.ts';
import { ChannelReceiver, ChannelSender } from '../../ring/channel.ts';
import type { Counters } from '../../ring/counters.ts';
import { type Positions, REPLICATED, SLAVES_STATE, SLAVES_TOO_FEW } from '../../ring/positions.ts';
import { LITE_NOTICE, POPPED } from '../../ring/question-records.ts';
import { report, tellControl } from '../../ring/reports.ts';
import { RingConsumer } from '../../ring/spsc-ring.ts';
import { StepClock } from '../../ring/step-clock.ts';
import { wakerOf } from '../../ring/wake.ts';
import { Watermark } from '../../ring/watermark.ts';
import { errnoName } from '../../store/disk/errors.ts';
import type { QueueDirectory } from '../../store/queue/queue-directory.ts';
import type { PullReader } from '../../store/read/pull-reader.ts';
import { type NetworkShape, participantOf } from '../shapes.ts';
import type { NetworkTrace } from '../trace/network-trace.ts';

/** What the handlers of one thread share. */
export interface TurnParts {
  /** Of a broker in which somebody follows a message. */
  trace: NetworkTrace | undefined;
  given: GivenCounts;
  slowSends: SlowSends;
  view: NetworkView;
  link: ControlLink;
  creation: CreationWait;
  /** Ms of the monotonic clock at the start of the turn. */
  now: () => number;
  counters: Counters;
  calls: Calls;
  refusals: RefusalCounts;
  connectionOf: (slot: number, generation: number) => Connection | undefined;
  touched: (connection: Connection) => void;
  /** Consumers that ask for something of which they have sent no heartbeat. */
  subscriptions: AnnouncedSubscriptions;
  /** Runs what concerns one connection: a failure is the connection's end and nobody else's. */
  guarded: (connection: Connection, run: () => void) => void;
}

function storeHostOf({ settings }: NetworkShape): HostAddress {
  return { address: Uint8Array.from(settings.storeHost.address), port: settings.storeHost.port };
}

/** Wakes the writer, unless it is this thread, which looks by itself at the end of its turn. */
function writerWaker({ inline, broker }: NetworkShape): () => void {
  return inline === undefined ? wakerOf(broker.wakes.writer) : () => {};
}

export function makeSendHandler(
  shape: NetworkShape,
  parts: TurnParts,
  sends: PendingSends,
  positions: Positions,
): SendHandler {
  const { settings, broker } = shape;
  const { link, creation } = parts;
  const storeHost = storeHostOf(shape);
  const uniqueIds = new UniqueIds(storeHost.address);
  // Who waits for no slaves never lacks them, and need not look with every message.
  const lacksCopies = broker.acknowledged.includes(REPLICATED)
    ? () => !positions.differs(SLAVES_STATE, SLAVES_TOO_FEW)
    : () => false;
  const handler = new SendHandler({
    writer: ChannelSender.join(participantOf(shape).send, writerWaker(shape)),
    sends,
    view: parts.view,
    storeHost,
    marks: settings,
    rules: () => parts.view.settings.waiting,
    brokerName: settings.brokerName,
    wallClock: systemClock.now,
    makeUniqueKey: () => uniqueIds.next(systemClock.now()),
    lacksCopies,
    maxMessageSize: broker.store.maxMessageSize,
    now: parts.now,
    counters: parts.counters,
    calls: parts.calls,
    refusals: parts.refusals,
    toControl: (connection, bytes, offset, length) =>
      link.forward(connection, bytes, offset, length, parts.now()),
    isAwaited: (request, fields) => creation.isAwaited(request, fields),
    isTopicAwaited: (name) => creation.isTopicAwaited(name),
    awaitLite: (connection, request, queue, offset, length) =>
      creation.lite(connection, request, queue, offset, length),
    awaitTopic: (connection, request, fields, offset, length) =>
      creation.topic(connection, request, fields, offset, length),
  });
  parts.trace?.sends(handler);
  return handler;
}

export function makeAcknowledger(
  shape: NetworkShape,
  parts: TurnParts,
  sends: PendingSends,
  positions: Positions,
): Acknowledger {
  const { settings, broker } = shape;
  const { regionId } = settings;
  return new Acknowledger({
    replies: RingConsumer.join(participantOf(shape).replies, writerWaker(shape)),
    sends,
    positions,
    counters: parts.counters,
    calls: parts.calls,
    refusals: parts.refusals,
    slow: parts.slowSends,
    confirmed: new Watermark(positions, broker.acknowledged),
    slaveTimeout: settings.slaveTimeout,
    reply: new SendReply({
      storeHost: storeHostOf(shape),
      regionId,
      traceOn: () => parts.view.settings.traceOn,
    }),
    connectionOf: parts.connectionOf,
    touched: parts.touched,
  });
}

export function makeQuestions(
  { questions, broker, inline }: NetworkShape,
  parts: TurnParts,
): DeliveryQuestions {
  const wake = inline?.delivery === undefined ? wakerOf(broker.wakes.delivery) : () => {};
  return new DeliveryQuestions({
    up: ChannelSender.join(questions.up, wake, MAX_CHANNEL_BACKLOG_BYTES),
    down: ChannelReceiver.join(questions.down, wake),
    counters: parts.counters,
    calls: parts.calls,
    now: parts.now,
    clock: systemClock.monotonic,
    connectionOf: parts.connectionOf,
    touched: parts.touched,
    needsDelivery: () => tellControl({ kind: 'needsDelivery' }),
  });
}

export function makeLites({ view, creation }: TurnParts, questions: DeliveryQuestions): LiteRequests {
  const lites = new LiteRequests({
    ...{ view, questions },
    awaitGroup: (connection, request, name, offset, length) =>
      creation.group(connection, request, name, offset, length),
  });
  questions.answers(LITE_NOTICE, lites.tell);
  return lites;
}

/** `endOfTurn` ends a turn that no socket and no bell has begun. */
export function makePops(
  { settings }: NetworkShape,
  parts: TurnParts,
  questions: DeliveryQuestions,
  { reader, directory }: { reader: PullReader; directory: QueueDirectory },
  endOfTurn: () => void,
): PopRequests {
  const { view, creation, connectionOf, touched, guarded, subscriptions } = parts;
  const replies = new PopReplies({
    ...{ reader, connectionOf, touched, guarded, endOfTurn, brokerName: settings.brokerName },
    readAhead: () => view.settings.readAhead,
    called: (asking, code) => questions.called(asking, code),
    untaken: (popped) => questions.untaken(popped),
    given: (group, topic, messages, bytes) => parts.given.add(group, topic, messages, bytes),
  });
  questions.answers(POPPED, replies.take, replies.lost);
  return new PopRequests({
    ...{ view, questions, directory, subscriptions },
    reviveTopic: Buffer.from(reviveTopicOf(settings.clusterName)),
    awaitGroup: (connection, request, name, offset, length) =>
      creation.group(connection, request, name, offset, length),
  });
}

/** Same. */
export function makePullHandler(
  shape: NetworkShape,
  parts: TurnParts,
  store: { reader: PullReader; directory: QueueDirectory; hold: PullHold },
  endOfTurn: () => void,
): PullHandler {
  const { link, creation, now } = parts;
  parts.trace?.reads(store.reader);
  return new PullHandler({
    ...store,
    view: parts.view,
    filters: new PullFilters(parts.subscriptions, () => parts.view.settings.enablePropertyFilter),
    thread: shape.index,
    now,
    counters: parts.counters,
    calls: parts.calls,
    reading: new StepClock('read', { limitMs: shape.broker.slowMillis, counters: parts.counters }),
    progress: (group, queue, commitOffset, pullOffset) =>
      link.progress(group.config.id, queue, commitOffset, pullOffset),
    resetTaken: (group, topic, queueId) => link.resetTaken(group, topic, queueId),
    coldRead: (group, bytes) => void link.coldRead({ group, bytes }),
    given: (group, topic, messages, bytes) => parts.given.add(group, topic, messages, bytes),
    awaitGroup: (connection, request, name, offset, length) =>
      creation.group(connection, request, name, offset, length),
    connectionOf: parts.connectionOf,
    touched: parts.touched,
    guarded: parts.guarded,
    clock: systemClock.monotonic,
    skipped: ({ errno, ...skipped }) =>
      report(
        { ...skipped, error: errnoName(errno) },
        'messages that cannot be read were left out of an answer',
      ),
    endOfTurn,
  });
}
