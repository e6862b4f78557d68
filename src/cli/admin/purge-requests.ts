/** Asking brokers to purge a topic, by the request that RingMQ has for that and RocketMQ has not. */
import { RequestCode, ResponseCode } from '../../protocol/codes.ts';
import { asArray, asObject, integerOr } from '../../protocol/json-fields.ts';
import { onEach } from './online.ts';
import { eachOf } from './progress.ts';
import type { TopicPart } from './routes.ts';
import { objectOf, type Servers } from './servers.ts';

interface PurgedQueue {
  queueId: number;
  minOffset: number;
  maxOffset: number;
  /** Purged, or to be purged. */
  messages: number;
}

export interface BrokerPurge {
  broker: string;
  address: string;
  /** Undefined when the broker cannot purge. */
  queues: PurgedQueue[] | undefined;
}

/** Some thousand queues may have to be looked at on the disk. */
const TIMEOUT_MS = 30_000;

/** What a purge would do on each broker; nothing is done. */
export function purgesOf(
  servers: Servers,
  topic: string,
  parts: readonly TopicPart[],
): Promise<BrokerPurge[]> {
  return eachOf(parts, 'brokers', (part) => ask(servers, topic, part, true));
}

/**
 * Purges the topic on brokers that can, one after the other; returns what they have purged. When one refuses, the
 * failure says on which it was purged before.
 */
export async function purgeAll(
  servers: Servers,
  topic: string,
  brokers: readonly BrokerPurge[],
): Promise<BrokerPurge[]> {
  const done: BrokerPurge[] = [];
  const named = brokers.map((each) => ({ ...each, name: each.broker }));
  await onEach(named, `Purged ${topic}`, async (each) => done.push(await ask(servers, topic, each, false)));
  return done;
}

export function messagesOf(purges: readonly BrokerPurge[]): number {
  return purges.flatMap(({ queues = [] }) => queues).reduce((sum, { messages }) => sum + messages, 0);
}

async function ask(
  servers: Servers,
  topic: string,
  { broker, address }: Pick<BrokerPurge, 'broker' | 'address'>,
  dryRun: boolean,
): Promise<BrokerPurge> {
  const { code, body } = await servers.ask(address, {
    code: RequestCode.PURGE_TOPIC,
    fields: { topic, dryRun },
    to: `purge topic ${topic}`,
    accept: dryRun ? [ResponseCode.REQUEST_CODE_NOT_SUPPORTED] : [],
    timeoutMs: TIMEOUT_MS,
  });
  const rows = asArray(objectOf(body)['queues']).map((value) => {
    const row = asObject(value) ?? {};
    const number = (name: string) => integerOr(row, name, 0);
    return {
      queueId: number('queueId'),
      minOffset: number('minOffset'),
      maxOffset: number('maxOffset'),
      messages: number('messages'),
    };
  });
  return { broker, address, queues: code === ResponseCode.SUCCESS ? rows : undefined };
}
