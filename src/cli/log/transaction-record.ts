/** What records of the topics of transactions mean, for `log dump`, and what they must hold, for `log check`. */
import { realQueueOf } from '../../delivery/real-queue.ts';
import {
  checkTimesOf,
  givenUpIn,
  offsetsIn,
  producerGroupOf,
} from '../../delivery/transaction/half-message.ts';
import { HALF_TOPIC, OP_HALF_TOPIC, TRANS_CHECK_MAX_TIME_TOPIC } from '../../lib/names.ts';
import type { StoredMessage } from '../../record/decode.ts';
import { SYS_TRANSACTION_COMMIT, SYS_TRANSACTION_MASK } from '../../record/layout.ts';
import { PROPERTY_PREPARED_OFFSET } from '../../record/properties.ts';
import type { Field } from './item.ts';

/** Topics whose records `transactionProblem` can judge. */
export const TRANSACTION_TOPICS: ReadonlySet<string> = new Set([
  HALF_TOPIC,
  OP_HALF_TOPIC,
  TRANS_CHECK_MAX_TIME_TOPIC,
]);

/** RocketMQ 4 wrote one offset without a comma behind it. */
const OFFSETS = /^\d+(?:,\d+)*,?$/;

/** Fields computed from the others; none for a message outside of transactions. */
export function transactionFields(message: StoredMessage): Field[] {
  switch (message.topic) {
    case HALF_TOPIC:
      return halfFields(message, 'where it goes when it is committed');
    case TRANS_CHECK_MAX_TIME_TOPIC:
      return halfFields(message, 'where it was to go: given up after the last check');
    case OP_HALF_TOPIC:
      return opFields(message);
    default:
      return isCommitted(message) ? committedFields(message) : [];
  }
}

function opFields(message: StoredMessage): Field[] {
  const fields: Field[] = [
    {
      name: 'ended',
      value: offsetsIn(message).join(','),
      meaning: `offsets in ${HALF_TOPIC}: they need no check`,
    },
  ];
  const givenUp = givenUpIn(message);
  if (givenUp.length > 0)
    fields.push({
      name: 'given up',
      value: givenUp.join(','),
      meaning: 'of which copies: may still be ended',
    });
  return fields;
}

function halfFields(message: StoredMessage, meaning: string): Field[] {
  const { topic, queueId } = realQueueOf(message.properties);
  const fields: Field[] = [
    { name: 'meant for', value: topic === '' ? 'unknown' : `${topic}, queue ${queueId}`, meaning },
    { name: 'producer group', value: producerGroupOf(message), meaning: 'which may end it, and is asked' },
    { name: 'checks', value: checkTimesOf(message), meaning: 'how often its producers had been asked' },
  ];
  const first = message.properties.get(PROPERTY_PREPARED_OFFSET);
  if (first !== undefined)
    fields.push({ name: 'copy of', value: first, meaning: `offset in ${HALF_TOPIC} at which it first lay` });
  return fields;
}

function isCommitted({ sysFlag, properties }: StoredMessage): boolean {
  return (
    (sysFlag & SYS_TRANSACTION_MASK) === SYS_TRANSACTION_COMMIT && producerGroupOf({ properties }) !== ''
  );
}

function committedFields(message: StoredMessage): Field[] {
  const meaning = `position in the log of its record in ${HALF_TOPIC}`;
  return [{ name: 'committed from', value: message.preparedTransactionOffset, meaning }];
}

/** `halfEnd`: what the half queue has come to in front of this record; undefined where nobody knows. */
export function transactionProblem(message: StoredMessage, halfEnd: number | undefined): string | undefined {
  if (message.topic === OP_HALF_TOPIC) return opProblem(message, halfEnd);
  const { topic, queueId } = realQueueOf(message.properties);
  if (topic === '') return 'a half message without REAL_TOPIC: it cannot be committed';
  if (!Number.isSafeInteger(queueId) || queueId < 0)
    return `a half message whose REAL_QID is no queue: it cannot be committed to ${topic}`;
  return undefined;
}

function opProblem(message: StoredMessage, halfEnd: number | undefined): string | undefined {
  const { body } = message;
  const text = Buffer.from(body.buffer, body.byteOffset, body.length).toString('latin1');
  if (!OFFSETS.test(text))
    return `ends of transactions are offsets with commas, here stands "${text.slice(0, 40)}"`;
  if (halfEnd === undefined) return undefined;
  const beyond = offsetsIn(message).find((offset) => offset >= halfEnd);
  return beyond === undefined
    ? undefined
    : `ends the half message ${beyond}, but the half queue has only come to ${halfEnd} by then`;
}
