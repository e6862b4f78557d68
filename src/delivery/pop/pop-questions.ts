/** What is asked of the owner of pop states, and what it answers: JSON behind the head of a question or an answer. */

/** Filter of a pop; undefined = every message. */
export interface PopFilter {
  type: string;
  expression: string;
}

/** What a pop, a notification and a peek have in common. */
interface Asks {
  topic: string;
  group: string;
  /** Below 0: all queues. */
  queueId: number;
  /** Queues of the topic that may be read. */
  queues: number;
  /** Ms for which it waits for a message; 0 = not at all. */
  pollTime: number;
  filter?: PopFilter | undefined;
  order: boolean;
  /** Of an ordered pop: one with the same id repeats it. */
  attemptId?: string | undefined;
}

/** POP (200050). */
export interface PopQuestion extends Asks {
  maxCount: number;
  invisibleTime: number;
  /** Where a group without offset begins: the newest messages instead of the oldest. */
  fromNewest: boolean;
  /** The queues of highest number first. */
  priority: boolean;
}

/** NOTIFICATION (200054) and, with `pollTime` 0, PEEK (200052). */
export interface LookQuestion extends Asks {
  maxCount: number;
}

/** POLLING_INFO (200055). */
export interface PollingQuestion {
  topic: string;
  group: string;
  queueId: number;
}

/** Of BATCH_ACK (200151): messages of one queue that were popped together. */
export interface AckGroup {
  topic: string;
  group: string;
  queueId: number;
  startOffset: number;
  popTime: number;
  invisibleTime: number;
  reviveQueueId: number;
  offsets: number[];
}

export interface AcksQuestion {
  acks: AckGroup[];
}

/** CHANGE_INVISIBLE (200053) of one message. */
export interface ChangeQuestion {
  topic: string;
  group: string;
  queueId: number;
  offset: number;
  /** Of the receipt. */
  startOffset: number;
  popTime: number;
  oldInvisibleTime: number;
  reviveQueueId: number;
  invisibleTime: number;
  /** It does not count as a try. */
  suspend: boolean;
}

/** Messages popped from one queue. */
export interface PoppedPart {
  /** 1: the queue is that of the retry topic. */
  retry: number;
  queueId: number;
  startOffset: number;
  offsets: number[];
  /** Position and size of each record. */
  records: number[];
  /** The queue of a lite topic. */
  topic?: string;
}

/** Answer POPPED, of POP and PEEK. */
export interface Popped {
  code: number;
  remark: string;
  topic: string;
  /** Whose it is, where there are parts. */
  group?: string;
  popTime: number;
  invisibleTime: number;
  reviveQid: number;
  restNum: number;
  parts: PoppedPart[];
  /** Of an ordered pop. */
  orderCountInfo?: string | undefined;
  /** Of lite topics. */
  lite?: true;
}
