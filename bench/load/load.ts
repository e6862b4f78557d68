/** A whole run: connect, warm up, measure, drain. */
import { type ConnectionEvents, LoadConnection } from './connection.ts';
import { FrameRing } from './frame-ring.ts';
import { ClosedLoop, type Loop, OpenLoop } from './loops.ts';
import type { LoadOptions } from './options.ts';
import { type LoadResult, Recorder } from './recorder.ts';
import { buildSendTemplate } from './send-template.ts';
import { keyPrefix } from './unique-key.ts';

export type LoadPhase = 'warming' | 'measuring' | 'draining';

const DRAIN_MILLIS = 10_000;
const POLL_MILLIS = 5;

function makeConnection(
  options: LoadOptions,
  index: number,
  recorder: Recorder,
  events: ConnectionEvents,
): LoadConnection {
  const { header, bodyBytes, batch, topic, topics, tag, keys } = options;
  const shape = {
    header,
    bodyBytes,
    batch,
    topic,
    topics,
    tag,
    keys,
    keyPrefix: keyPrefix(options.run, index),
  };
  const spread = Math.floor((index * topics * options.queues) / options.connections);
  const frames = new FrameRing(buildSendTemplate(shape), {
    capacity: options.inFlight,
    topics,
    queues: options.queues,
    firstQueue: spread,
  });
  return new LoadConnection(frames, recorder, events);
}

/** Resolves when `done` says so or the time is over; rejects as soon as a connection fails. */
function wait(millis: number, failure: Promise<never>, done: () => boolean = () => false): Promise<void> {
  const deadline = performance.now() + millis;
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    const check = (): void => {
      const rest = deadline - performance.now();
      if (rest <= 0 || done()) resolve();
      else timer = setTimeout(check, Math.min(rest, POLL_MILLIS));
    };
    check();
  });
  return Promise.race([over, failure]).finally(() => clearTimeout(timer));
}

export async function runLoad(
  options: LoadOptions,
  onPhase: (phase: LoadPhase) => void,
): Promise<LoadResult> {
  const recorder = new Recorder();
  const loop: Loop =
    options.rate > 0 ? new OpenLoop(options.rate / options.batch, recorder) : new ClosedLoop();
  let answered = 0;
  let fail: (error: Error) => void = () => {};
  const failure = new Promise<never>((_, reject) => {
    fail = reject;
  });
  // the rejection is reported by whichever wait is running; between two waits nobody listens
  failure.catch(() => {});
  const events: ConnectionEvents = {
    onReplies: (connection, freed) => {
      answered += freed * options.batch;
      loop.onReplies(connection, freed);
    },
    onFailure: (error) => fail(error),
  };
  const connections: LoadConnection[] = [];
  for (let index = 0; index < options.connections; index++) {
    connections.push(makeConnection(options, index, recorder, events));
  }
  try {
    await Promise.all(connections.map((connection) => connection.open(options.host, options.port)));
    await onPhase('warming');
    loop.start(connections);
    const enough = (): boolean => options.warmupMessages > 0 && answered >= options.warmupMessages;
    await wait(options.warmupSeconds * 1000, failure, enough);
    await onPhase('measuring');
    recorder.start();
    await wait(options.seconds * 1000, failure);
    recorder.stop();
    await onPhase('draining');
    loop.stop();
    const inFlight = (): number => connections.reduce((sum, { window }) => sum + window.inFlight, 0);
    await wait(DRAIN_MILLIS, failure, () => inFlight() === 0);
    return recorder.result(inFlight(), options.rate > 0);
  } finally {
    loop.stop();
    for (const connection of connections) connection.close();
  }
}
