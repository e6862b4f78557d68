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

const NUMBERS = 4;
/** Blanks before the broker's name at least. */
const LEAST_BLANKS = 5;
const MOST_DIGITS = 16;
const BLANK = 0x20;
const ZERO = 0x30;
/** In place of a revive queue: the message was popped in order, and has no checkpoint. */
export const ORDERED = 999;

const NO_RECEIPT = 'the extraInfo is no receipt of a popped message';

export function emptyReceipt(): Receipt {
  return { startOffset: 0, popTime: 0, invisibleTime: 0, reviveQueueId: 0 };
}

/** Reads bytes[at, +length) into `receipt`; a string says why that is none. */
export function readReceipt(
  bytes: Uint8Array,
  at: number,
  length: number,
  reviveQueues: number,
  receipt: Receipt,
): string | undefined {
  const end = at + length;
  let from = at;
  for (let i = 0; i < NUMBERS; i++) {
    let value = 0;
    const first = from;
    for (; from < end && bytes[from] !== BLANK; from++) {
      const digit = (bytes[from] as number) - ZERO;
      if (digit < 0 || digit > 9) return NO_RECEIPT;
      value = value * 10 + digit;
    }
    if (from === first || from - first > MOST_DIGITS || !Number.isSafeInteger(value)) return NO_RECEIPT;
    from++;
    if (i === 0) receipt.startOffset = value;
    else if (i === 1) receipt.popTime = value;
    else if (i === 2) receipt.invisibleTime = value;
    else receipt.reviveQueueId = value;
  }
  let blanks = NUMBERS;
  for (; from < end; from++) if (bytes[from] === BLANK) blanks++;
  if (blanks < LEAST_BLANKS) return NO_RECEIPT;
  const { reviveQueueId } = receipt;
  if (reviveQueueId < reviveQueues || reviveQueueId === ORDERED) return undefined;
  return `the extraInfo names the revive queue ${reviveQueueId}, and there are ${reviveQueues}`;
}

export function writeReceipt(receipt: Receipt, retry: number, brokerName: string, queueId: number): string {
  const { startOffset, popTime, invisibleTime, reviveQueueId } = receipt;
  return `${startOffset} ${popTime} ${invisibleTime} ${reviveQueueId} ${retry} ${brokerName} ${queueId}`;
}
