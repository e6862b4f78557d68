/** Why no record stands at a place of the log, and which byte says so. */
import { BODY_CRC, MAGIC, MAGIC_V2, PHYSICAL_OFFSET, TOTAL_SIZE } from '../../../record/layout.ts';
import {
  bodyCrcOf,
  bodyLengthOffset,
  magicOf,
  physicalOffsetOf,
  RecordParts,
  sysFlagOf,
  totalSizeOf,
} from '../../../record/view.ts';
import type { Mapping } from '../../../store/disk/disk.ts';
import { RecordCheck, type Unsound } from '../../../store/log/record-check.ts';
import type { Damage } from '../item.ts';
import { hex } from './piece-fields.ts';

export const UNSOUND_MEANINGS: Record<Unsound, string> = {
  'no magic': 'no record begins here',
  'size does not fit': 'a record begins here, but its size leads out of the file',
  'parts do not add up': 'a record begins here, but the lengths of its parts do not give its size',
  'names another position':
    'a record stands here that says it belongs elsewhere: old bytes, or a copy gone wrong',
  'body checksum differs': 'the body is not what was written: its CRC differs',
  'a part of topic or properties is missing':
    'zeros stand where topic or properties should be: a page that never reached the disk',
};

/** What is wrong at `at` of the file, where `RecordCheck` has found nothing sound for this reason. */
export function recordDamage(mapping: Mapping, at: number, start: number, reason: Unsound): Damage {
  if (at + MAGIC + 4 > mapping.size)
    return {
      at: Math.min(at, mapping.size - 1),
      text: `${mapping.size - at} bytes are left, too few for a record or a BLANK`,
    };
  const [byte, more] = detail(mapping, at, start, reason);
  return { at: Math.min(byte, mapping.size - 1), text: `${UNSOUND_MEANINGS[reason]} (${more})` };
}

function detail(mapping: Mapping, at: number, start: number, reason: Unsound): [byte: number, text: string] {
  const { view } = mapping;
  switch (reason) {
    case 'no magic':
      return [at + MAGIC, `magic is ${hex(magicOf(view, at))}`];
    case 'size does not fit':
      return [
        at + TOTAL_SIZE,
        `totalSize is ${totalSizeOf(view, at)}, ${mapping.size - at} bytes are left in the file`,
      ];
    case 'parts do not add up':
      return wrongLength(mapping, at);
    case 'names another position':
      return [
        at + PHYSICAL_OFFSET,
        `physicalOffset is ${physicalOffsetOf(view, at)}, it stands at ${start + at}`,
      ];
    case 'body checksum differs':
      return [at + BODY_CRC, crcText(mapping, at)];
    default:
      return [firstZero(mapping, at), 'the first zero stands here'];
  }
}

/** The length that leads out of the record, or its size where all of them stay within. */
function wrongLength(mapping: Mapping, at: number): [byte: number, text: string] {
  const { view, size } = mapping;
  const end = Math.min(at + totalSizeOf(view, at), size);
  const bodyLengthAt = at + bodyLengthOffset(sysFlagOf(view, at));
  if (bodyLengthAt + 4 > end) return [at + TOTAL_SIZE, `totalSize ends it before its bodyLength`];
  const bodyLength = view.getInt32(bodyLengthAt);
  const topicLengthAt = bodyLengthAt + 4 + bodyLength;
  if (bodyLength < 0 || topicLengthAt + 2 > end) return [bodyLengthAt, `bodyLength is ${bodyLength}`];
  const isV2 = magicOf(view, at) === MAGIC_V2;
  const topicLength = isV2 ? view.getInt16(topicLengthAt) : view.getInt8(topicLengthAt);
  const propertiesLengthAt = topicLengthAt + (isV2 ? 2 : 1) + topicLength;
  if (topicLength < 0 || propertiesLengthAt + 2 > end)
    return [topicLengthAt, `topicLength is ${topicLength}`];
  const propertiesLength = view.getInt16(propertiesLengthAt);
  const sum = propertiesLengthAt + 2 + propertiesLength - at;
  const total = totalSizeOf(view, at);
  return propertiesLength < 0 || sum > total
    ? [
        propertiesLengthAt,
        `propertiesLength is ${propertiesLength}: the parts make ${sum} bytes, totalSize says ${total}`,
      ]
    : [at + TOTAL_SIZE, `totalSize says ${total}, the parts make ${sum} bytes`];
}

function crcText(mapping: Mapping, at: number): string {
  const parts = new RecordParts();
  parts.locate(mapping.view, at, mapping.size);
  const crc = mapping.crc(parts.bodyOffset, parts.bodyLength) & 0x7fffffff;
  return `bodyCrc is ${hex(bodyCrcOf(mapping.view, at))}, the ${parts.bodyLength} bytes from byte ${parts.bodyOffset} on have ${hex(crc)}`;
}

function firstZero(mapping: Mapping, at: number): number {
  const parts = new RecordParts();
  if (!parts.locate(mapping.view, at, mapping.size)) return at;
  const { topicOffset, topicLength, propertiesOffset, propertiesLength } = parts;
  const topic = mapping.bytes.indexOf(0, topicOffset);
  if (topicLength === 0) return topicOffset;
  if (topic >= 0 && topic < topicOffset + topicLength) return topic;
  const property = mapping.bytes.indexOf(0, propertiesOffset);
  return property >= 0 && property < propertiesOffset + propertiesLength ? property : at;
}

/** Whether the record at `at` is sound, its body included; a damage when not. */
export function damageAt(mapping: Mapping, at: number, start: number): Damage | undefined {
  const check = new RecordCheck();
  return check.check(mapping, at, start) ? undefined : recordDamage(mapping, at, start, check.reason);
}
