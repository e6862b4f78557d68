/** Measures the body of a batch before records are made of it: nothing of it is stored unless all of it can be. */
import type { RequestView } from '../../protocol/request-view.ts';
import { recordSize } from '../../record/layout.ts';
import { hasNul } from '../../record/properties.ts';
import { PropertyTemplates } from '../../record/property-templates.ts';
import { ITEM_BODY, ITEM_BODY_LENGTH } from './batch-item.ts';

export class BatchBody {
  /** Of the body measured last: messages, and bytes of all their records together. */
  count = 0;
  bytes = 0;
  /** The properties of a message hold a NUL byte. */
  nul = false;
  /** A message says that it has a second queue, which is for a broker to say. */
  namesSecondQueue = false;
  readonly #properties = new PropertyTemplates();

  /** False when lengths in it lie. */
  measure(request: RequestView, topicLength: number, sysFlag: number): boolean {
    const { bytes, view } = request;
    const end = request.bodyOffset + request.bodyLength;
    this.count = 0;
    this.bytes = 0;
    this.nul = false;
    this.namesSecondQueue = false;
    let at = request.bodyOffset;
    while (at < end) {
      if (at + ITEM_BODY > end) return false;
      const bodyLength = view.getInt32(at + ITEM_BODY_LENGTH);
      const bodyEnd = at + ITEM_BODY + bodyLength;
      if (bodyLength < 0 || bodyEnd + 2 > end) return false;
      const propertiesLength = view.getInt16(bodyEnd);
      const itemEnd = bodyEnd + 2 + propertiesLength;
      if (propertiesLength < 0 || itemEnd > end || view.getInt32(at) !== itemEnd - at) return false;
      this.nul ||= hasNul(view, bodyEnd + 2, itemEnd);
      this.namesSecondQueue ||= this.#properties.scan(bytes, view, bodyEnd + 2, itemEnd).secondLength > 0;
      this.count++;
      this.bytes += recordSize(bodyLength, topicLength, propertiesLength, sysFlag);
      at = itemEnd;
    }
    return true;
  }
}
