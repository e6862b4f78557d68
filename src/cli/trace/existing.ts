/** The report of a message that was stored before: what it has left in the files, and what a broker shows of it. */
import { RequestCode, ResponseCode } from '../../protocol/codes.ts';
import { decodeRecord, messageIdOf } from '../../record/decode.ts';
import { decodeMessageId } from '../../record/message-id.ts';
import { PROPERTY_UNIQUE_KEY } from '../../record/properties.ts';
import { Failure } from '../admin/failure.ts';
import { findById } from '../admin/find.ts';
import type { Servers } from '../admin/servers.ts';
import { time } from '../log/record-fields.ts';
import type { Hop } from './hops.ts';
import { recordsOf } from './pieces/stored.ts';
import { type Report, step } from './report.ts';
import { checkpointStep, indexStep, queueStep, recordPieces } from './store-steps.ts';
import type { StoreView } from './store-view.ts';

const GONE =
  'It is over: frames, ring records and positions are memory that was used again. Send a message by this command to see them.';

export interface Wanted {
  /** A message id or unique key. */
  id: string;
  isUniqueKey: boolean;
  topic: string | undefined;
}

/** Rejects with a Failure when nobody has such a message. */
export async function existingReport(
  wanted: Wanted,
  store: StoreView | undefined,
  servers: Servers | undefined,
): Promise<Report> {
  const records = (store && inStore(wanted, store)) ?? (servers && (await atBroker(wanted, servers))) ?? [];
  const [first] = records;
  const message = first && decodeRecord(first);
  if (message === undefined) throw new Failure(notFound(wanted, store, servers));
  const hops = records.map((bytes): Hop => {
    const decoded = decodeRecord(bytes);
    return { records: [{ position: decoded?.physicalOffset ?? -1, bytes, message: decoded }] };
  });
  return {
    title: `What there is of message ${wanted.id}`,
    facts: [
      ['unique key', message.properties.get(PROPERTY_UNIQUE_KEY) ?? 'none'],
      ['message id', messageIdOf(message)],
      ['read from', store?.root ?? 'its broker'],
    ],
    stages: hops.map((hop) => ({ title: hopTitle(hop), text: [], steps: stepsOf(hop, store) })),
    spans: [],
  };
}

function hopTitle({ records }: Hop): string {
  const message = records[0]?.message;
  const where = `${message?.topic}, queue ${message?.queueId}, offset ${message?.queueOffset}`;
  return `Stored ${time(message?.storeTimestamp ?? 0)} in ${where}`;
}

function stepsOf(hop: Hop, store: StoreView | undefined) {
  return [
    step(1, { unseen: GONE }),
    step(2, { unseen: GONE }),
    step(3, { pieces: recordPieces(hop) }),
    step(4, { unseen: GONE }),
    queueStep(store, hop),
    indexStep(store, hop),
    checkpointStep(store, hop),
    step(8, {
      unseen: 'Nobody keeps which consumers got it: "ringmq offset" shows which groups are past it.',
    }),
    step(9, { unseen: 'The same.' }),
  ];
}

/** Undefined when it is not there. */
function inStore({ id, isUniqueKey, topic }: Wanted, store: StoreView): Uint8Array[] | undefined {
  if (!isUniqueKey) {
    const place = decodeMessageId(id);
    const found = place && store.recordAt(place.physicalOffset);
    // An id names the broker that it was stored by; a record of another one stands in a store that was copied.
    if (found !== undefined && messageIdOf(found.message) === id.toUpperCase()) return [found.bytes];
  }
  const topics = topic === undefined ? store.topics() : [topic];
  const found = topics.flatMap((name) => {
    const record = store.withUniqueKey(name, id) ?? store.withUniqueKey(name, id.toUpperCase());
    return record === undefined ? [] : [record];
  });
  return found.length === 0 ? undefined : found.sort((a, b) => a.at - b.at).map(({ bytes }) => bytes);
}

async function atBroker({ id, topic }: Wanted, servers: Servers): Promise<Uint8Array[] | undefined> {
  const found = await findById(servers, id, topic);
  const brokers = await servers.brokers();
  const records: Uint8Array[] = [];
  for (const { broker, physicalOffset } of found) {
    const at = brokers.find(({ name }) => name === broker);
    if (at === undefined) continue;
    const { body } = await servers.ask(at.address, {
      code: RequestCode.VIEW_MESSAGE_BY_ID,
      fields: { offset: physicalOffset },
      to: 'show a message',
      accept: [ResponseCode.SYSTEM_ERROR],
    });
    records.push(...recordsOf(body ?? new Uint8Array(0)));
  }
  return records.length === 0 ? undefined : records;
}

function notFound({ id, isUniqueKey, topic }: Wanted, store?: StoreView, servers?: Servers): string {
  const where = store?.root ?? `The broker behind ${servers?.nameServers.join(';')}`;
  const kind = isUniqueKey ? 'unique key' : 'id';
  const within = topic === undefined ? '' : ` in topic ${topic}`;
  return `${where} has no message with the ${kind} ${id}${within}: it may have expired, or its index has.`;
}
