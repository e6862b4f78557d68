/**
 * Layout of one message in the body of a batch: totalSize 4, magic 4, bodyCrc 4, flag 4, bodyLength 4, body,
 * propertiesLength 2, properties.
 */
export const ITEM_FLAG = 12;
export const ITEM_BODY_LENGTH = 16;
/** Where the body begins. */
export const ITEM_BODY = 20;
