/**
 * The receipt of a popped message (`extraInfo`, property POP_CK), as RocketMQ's clients write and send it back: texts
 * with blanks between them.
 *
 *     startOffset popTime invisibleTime reviveQueueId retry brokerName queueId [offset [position]]
 *
 * `retry`: 0 = of the topic, 1 = of its retry topic, 2 = of one in RocketMQ's second form.
 */
export interface Receipt {
  startOffset: number;
  popTime: number;
  invisibleTime: number;
  reviveQueueId: number;
}

const LEAST_FIELDS = 6;
const NUMBER = /^\d{1,16}$/;

/** A string says why the text is none. */
export function parseReceipt(text: string, reviveQueues: number): Receipt | string {
  const fields = text.split(' ');
  const numbers = fields.slice(0, 4).map((field) => (NUMBER.test(field) ? Number(field) : -1));
  const [startOffset = -1, popTime = -1, invisibleTime = -1, reviveQueueId = -1] = numbers;
  const isWhole = fields.length >= LEAST_FIELDS && numbers.every((n) => n >= 0 && Number.isSafeInteger(n));
  if (!isWhole) return 'the extraInfo is no receipt of a popped message';
  if (reviveQueueId >= reviveQueues && reviveQueueId !== ORDERED) {
    return `the extraInfo names the revive queue ${reviveQueueId}, and there are ${reviveQueues}`;
  }
  return { startOffset, popTime, invisibleTime, reviveQueueId };
}

/** In place of a revive queue: the message was popped in order, and has no checkpoint. */
const ORDERED = 999;

export function writeReceipt(receipt: Receipt, retry: number, brokerName: string, queueId: number): string {
  const { startOffset, popTime, invisibleTime, reviveQueueId } = receipt;
  return `${startOffset} ${popTime} ${invisibleTime} ${reviveQueueId} ${retry} ${brokerName} ${queueId}`;
}
