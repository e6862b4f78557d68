/**
 * Control's own puts. They go to topics that control makes, retry topics and dead letter queues, and none of them may
 * be acknowledged in a topic that a crash would forget: nobody would find the message, and what waits for its time
 * would be dropped, as that of a deleted topic is.
 */
import { limitRemark, MAX_PUT_BYTES } from '../lib/limits.ts';
import { ResponseCode } from '../protocol/codes.ts';
import { type InternalMessage, type PutMessage, type PutResult, refused } from '../store/put/put-message.ts';

export interface SavedTopics {
  /** All changes are on the device. */
  readonly isSaved: boolean;
  /** Resolves when they are. */
  durable(): Promise<void>;
}

/** Puts wait in their order until what was changed of the topics is on the device. */
export function putInSavedTopics(topics: SavedTopics, put: PutMessage): PutMessage {
  let waiting = 0;
  let bytes = 0;
  const afterSave = async (message: InternalMessage): Promise<PutResult> => {
    if (bytes > MAX_PUT_BYTES) {
      const what = 'bytes of retries that wait for their topics to be saved';
      return refused(ResponseCode.SYSTEM_BUSY, limitRemark(what, MAX_PUT_BYTES, 'MAX_PUT_BYTES'));
    }
    waiting += 1;
    bytes += message.body.length;
    try {
      await topics.durable();
    } catch (error) {
      return refused(ResponseCode.SYSTEM_ERROR, `the topics cannot be saved: ${(error as Error).message}`);
    } finally {
      waiting -= 1;
      bytes -= message.body.length;
    }
    return put(message);
  };
  return (message) => (topics.isSaved && waiting === 0 ? put(message) : afterSave(message));
}
