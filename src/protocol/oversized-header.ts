/**
 * Headers that are too long to be parsed: text by text, that would keep a thread from everybody else. What an answer
 * needs of one is found all the same: in a binary header at its place, in a JSON header before the texts (Go) or
 * behind them (Java, where keys are sorted).
 */
import { limitRemark, MAX_HEADER_BYTES } from '../lib/limits.ts';
import { ResponseCode } from './codes.ts';
import { FLAG_ONEWAY, FLAG_RESPONSE, type RemotingCommand, responseTo, SERIALIZE_BINARY } from './command.ts';
import { HEADER_WORD_BYTES } from './command-codec.ts';

const BINARY_OPAQUE = 5;
const BINARY_FLAG = 9;
/** Characters at either end of a JSON header in which to look. */
const OUTLINE_BYTES = 256;

/** Whether the frame, which stands without its length field at `offset`, has such a header. */
export function isOversized(view: DataView, offset: number, length: number): boolean {
  return length > MAX_HEADER_BYTES && (view.getInt32(offset) & 0xffffff) > MAX_HEADER_BYTES;
}

/**
 * The answer to a frame that `isOversized`, none to a one-way request. False when it is no request that could be
 * answered: its connection must be closed.
 */
export function refuseOversized(
  view: DataView,
  offset: number,
  length: number,
): RemotingCommand | undefined | false {
  const word = view.getInt32(offset);
  const serializeType = word >>> 24;
  const from = offset + HEADER_WORD_BYTES;
  const to = Math.min(from + (word & 0xffffff), offset + length);
  const { opaque, flag } =
    serializeType === SERIALIZE_BINARY
      ? { opaque: view.getInt32(from + BINARY_OPAQUE), flag: view.getInt32(from + BINARY_FLAG) }
      : jsonOutline(view, from, to);
  if (opaque === undefined || flag === undefined || (flag & FLAG_RESPONSE) !== 0) return false;
  if ((flag & FLAG_ONEWAY) !== 0) return undefined;
  const remark = limitRemark('bytes of a header', MAX_HEADER_BYTES, 'MAX_HEADER_BYTES');
  return responseTo({ opaque, serializeType }, ResponseCode.MESSAGE_ILLEGAL, remark);
}

interface Outline {
  opaque: number | undefined;
  flag: number | undefined;
}

function jsonOutline(view: DataView, from: number, to: number): Outline {
  const text = (start: number, end: number) =>
    Buffer.from(view.buffer, view.byteOffset + start, end - start).toString('latin1');
  const [head = ''] = text(from, from + OUTLINE_BYTES).split('"extFields"', 1);
  const tail = text(to - OUTLINE_BYTES, to);
  const integer = (name: string) => {
    const pattern = new RegExp(`"${name}"\\s*:\\s*(-?\\d{1,10})\\b`);
    const found = pattern.exec(head) ?? pattern.exec(tail);
    return found === null ? undefined : Number(found[1]) | 0;
  };
  return { opaque: integer('opaque'), flag: integer('flag') };
}
