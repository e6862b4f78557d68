/**
 * The body of a SEND_BATCH_MESSAGE: items of equal length, so that place p of item i is p + i * itemBytes. An item is
 * totalSize 4, magic 4 (0), bodyCrc 4 (0), flag 4, bodyLength 4, body, propertiesLength 2, properties.
 */

const BODY_LENGTH_AT = 16;
const BODY_AT = 20;
const PROPERTIES_LENGTH_BYTES = 2;

export interface BatchBody {
  bytes: Uint8Array;
  itemBytes: number;
  /** Where the properties of the first item begin. */
  propertiesAt: number;
}

export function buildBatchBody(messages: number, body: Uint8Array, properties: Uint8Array): BatchBody {
  const propertiesAt = BODY_AT + body.length + PROPERTIES_LENGTH_BYTES;
  const itemBytes = propertiesAt + properties.length;
  const bytes = new Uint8Array(itemBytes * messages);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < bytes.length; at += itemBytes) {
    view.setInt32(at, itemBytes);
    view.setInt32(at + BODY_LENGTH_AT, body.length);
    bytes.set(body, at + BODY_AT);
    view.setInt16(at + propertiesAt - PROPERTIES_LENGTH_BYTES, properties.length);
    bytes.set(properties, at + propertiesAt);
  }
  return { bytes, itemBytes, propertiesAt };
}
