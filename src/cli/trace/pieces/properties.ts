/** What the properties of a message are for. */
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

/** Of a field that is called `property NAME`. */
export function propertyMeaning(field: string): string {
  return MEANINGS[field.replace('property ', '')] ?? '';
}
