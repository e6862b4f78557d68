/** The properties text of a message, property by property. */
import { PROPERTY_NAME_END, PROPERTY_VALUE_END } from '../../../record/layout.ts';
import { FieldList, type PieceField, textOf } from './piece.ts';

const MEANINGS: Readonly<Record<string, string>> = {
  UNIQ_KEY: 'the producer names the message by it; the index finds it',
  KEYS: 'keys to find it by, blanks between them',
  TAGS: 'its tag; consumers filter by the hash in the ConsumeQueue entry',
  WAIT: 'the producer waits until the message is stored as the broker promises',
  DELAY: 'delay level',
  REAL_TOPIC: 'where the message goes when it is due',
  REAL_QID: 'and into which queue',
  RETRY_TOPIC: 'the topic that its consumers know',
  ORIGIN_MESSAGE_ID: 'the message that was given back',
  TIMER_DELAY_MS: 'to be delivered so many ms after it was sent',
  TIMER_OUT_MS: 'when its slot of the wheel begins, ms since 1970',
  TIMER_ENQUEUE_MS: 'when it was put into the wheel, ms since 1970',
  MSG_REGION: 'put there by the broker',
  TRACE_ON: 'put there by the broker',
  CLUSTER: 'put there by the broker',
};

export function propertyFields(bytes: Uint8Array): PieceField[] {
  const list = new FieldList(bytes);
  while (list.at < bytes.length) {
    const nameEnd = bytes.indexOf(PROPERTY_NAME_END, list.at);
    const found = bytes.indexOf(PROPERTY_VALUE_END, list.at);
    const end = found < 0 ? bytes.length : found;
    if (nameEnd < 0 || nameEnd > end) {
      list.text(Math.min(bytes.length, end + 1) - list.at, 'property ?', 'no name and value');
      continue;
    }
    const name = Buffer.from(bytes.subarray(list.at, nameEnd)).toString();
    const value = textOf(bytes.subarray(nameEnd + 1, end));
    list.add(Math.min(bytes.length, end + 1) - list.at, `property ${name}`, value, MEANINGS[name] ?? '');
  }
  return list.fields;
}
