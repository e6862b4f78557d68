/** What a consumer needs of the answer to a pop beside its messages. */
import { decodeCommand } from '../../src/protocol/command-codec.ts';
import type { PopPlace } from './pop-frames.ts';

/** The first field of an entry: its messages come from the topic itself, not from a retry topic. */
const FROM_TOPIC = '0';

/**
 * The place of each queue that the pop took messages from, by queue id. `frame` is the answer without its length field; a
 * body may be left out.
 */
export function popPlaces(frame: Uint8Array): Map<number, PopPlace> {
  const { fields } = decodeCommand(frame);
  const popTime = fields['popTime'] ?? '';
  const invisibleTime = fields['invisibleTime'] ?? '';
  const reviveQueueId = fields['reviveQid'] ?? '';
  const places = new Map<number, PopPlace>();
  for (const entry of (fields['startOffsetInfo'] ?? '').split(';')) {
    const [from, queue, start] = entry.split(' ');
    if (from !== FROM_TOPIC) continue;
    const queueId = Number(queue);
    places.set(queueId, { queueId, startOffset: Number(start), popTime, invisibleTime, reviveQueueId });
  }
  return places;
}
