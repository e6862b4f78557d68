/** What a consumer needs of the answer to a pop beside its messages. */
import type { PopPlace } from './pop-frames.ts';

/** The first field of an entry: its messages come from the topic itself, not from a retry topic. */
const FROM_TOPIC = '0';

/** A field of a JSON header, whose values hold no quotes; '' = it is not there. */
function fieldOf(header: string, name: string): string {
  const start = `"${name}":"`;
  const at = header.indexOf(start);
  if (at < 0) return '';
  return header.slice(at + start.length, header.indexOf('"', at + start.length));
}

/** The place of each queue that the pop took messages from, by queue id. `header` is that of the answer, in JSON. */
export function popPlaces(header: string): Map<number, PopPlace> {
  const popTime = fieldOf(header, 'popTime');
  const invisibleTime = fieldOf(header, 'invisibleTime');
  const reviveQueueId = fieldOf(header, 'reviveQid');
  const places = new Map<number, PopPlace>();
  for (const entry of fieldOf(header, 'startOffsetInfo').split(';')) {
    const [from, queue, start] = entry.split(' ');
    if (from !== FROM_TOPIC) continue;
    const queueId = Number(queue);
    places.set(queueId, { queueId, startOffset: Number(start), popTime, invisibleTime, reviveQueueId });
  }
  return places;
}
