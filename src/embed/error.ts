/** What a program catches when a broker or store inside it cannot do what was asked. */

/**
 * | code | meaning |
 * |---|---|
 * | `RINGMQ_BAD_OPTION` | an option that does not exist, or a value that is not allowed; nothing was started |
 * | `RINGMQ_PORT_IN_USE` | `port` or `nameServerPort` is taken, or may not be used by this user |
 * | `RINGMQ_BAD_ADDRESS` | `host` is no address of this machine |
 * | `RINGMQ_STORE_IN_USE` | another broker, here or in another process, has the store open |
 * | `RINGMQ_START_FAILED` | anything else that kept a broker or store from starting |
 * | `RINGMQ_TOPIC_REFUSED` | a topic could not be made; the message has the broker's reason |
 * | `RINGMQ_DIED` | the broker has ended by itself |
 * | `RINGMQ_CLOSED` | asked of a broker or store that is closed |
 */
export type RingMQErrorCode =
  | 'RINGMQ_BAD_OPTION'
  | 'RINGMQ_PORT_IN_USE'
  | 'RINGMQ_BAD_ADDRESS'
  | 'RINGMQ_STORE_IN_USE'
  | 'RINGMQ_START_FAILED'
  | 'RINGMQ_TOPIC_REFUSED'
  | 'RINGMQ_DIED'
  | 'RINGMQ_CLOSED';

/**
 * Every error of this library that the caller can do something about. The message says what and is meant for people;
 * `code` is for programs; `cause` is what the system or a thread of the broker said, when there was something.
 */
export class RingMQError extends Error {
  override name = 'RingMQError';
  readonly code: RingMQErrorCode;

  constructor(code: RingMQErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
