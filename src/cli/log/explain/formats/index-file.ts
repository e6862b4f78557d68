/** The index. Held against src/store/index/index-layout.ts by a test. */
import type { FormatSpec, PieceSpec } from './shape.ts';

export const HEADER: PieceSpec = {
  name: 'header',
  place: 'once, at byte 0',
  fields: [
    {
      name: 'beginTimestamp',
      type: 'i64',
      meaning: 'first record, ms since 1970',
      why: 'Store time of the first record in the file. Entries count their seconds from it, and a query by time leaves out files that end before.',
    },
    {
      name: 'endTimestamp',
      type: 'i64',
      meaning: 'last record, ms since 1970',
      why: 'Store time of the last record. After a crash RocketMQ throws away a file whose time is later than indexMsgTimestamp of the checkpoint.',
      beware: 'That no record in the file is younger: store times go back with the clock.',
    },
    {
      name: 'beginPhyOffset',
      type: 'i64',
      meaning: 'position of the first record',
      why: 'Tells which part of the log the file covers.',
    },
    {
      name: 'endPhyOffset',
      type: 'i64',
      meaning: 'position of the last',
      why: 'Records before it are in the index already, and are not entered twice. A file goes when the log begins behind it.',
    },
    {
      name: 'hashSlotCount',
      type: 'i32',
      meaning: 'slots in use',
      why: 'A figure for people; no reader needs it.',
    },
    {
      name: 'indexCount',
      type: 'i32',
      meaning: 'number of the next entry; 0 is never used',
      why: 'Entries from this number on do not count, whatever stands there: it is written once a round, behind the entries.',
      beware: 'That it begins at 0: an empty file has 0 (just made) or 1.',
    },
  ],
};

export const SLOT: PieceSpec = {
  name: 'slot',
  place: 'maxHashSlotNum (5,000,000) of 4 bytes, from byte 40',
  fields: [
    {
      name: 'newest',
      type: 'i32',
      meaning: 'number of the newest entry of the chain',
      why: 'A key is in slot keyHash mod maxHashSlotNum; the chain leads from here to ever older entries.',
      beware:
        'That it is below indexCount: the dispatcher writes slots before it counts their entries. And that the file says how many slots it has: its size and the configuration do.',
    },
  ],
};

export const INDEX_ENTRY: PieceSpec = {
  name: 'entry',
  place: 'maxIndexNum (20,000,000) of 20 bytes behind the slots; entry n at 40 + slots × 4 + n × 20',
  fields: [
    {
      name: 'keyHash',
      type: 'i32',
      meaning: '|Java hash| of topic#key',
      why: 'The key itself is not stored. Keys are UNIQ_KEY, each word of KEYS, and TAGS (as topic#T#tag).',
      beware:
        'That it is the key that was looked for: other keys have the same hash, and yet others share the slot. Whoever asks compares the properties of the record.',
    },
    {
      name: 'phyOffset',
      type: 'i64',
      meaning: 'position of the record in the log',
      why: 'Where the message stands.',
      beware: 'That the log still has it.',
    },
    {
      name: 'timeDiff',
      type: 'i32',
      meaning: 'seconds since beginTimestamp',
      why: 'A query by time leaves out entries without reading the log.',
      beware: 'That it is exact: whole seconds, and 0 for records older than the first one.',
    },
    {
      name: 'previous',
      type: 'i32',
      meaning: 'older entry of the slot, 0 = none',
      why: 'The chain: what the slot named when this entry was made. Always smaller than the number of its own entry.',
    },
  ],
};

export const INDEX: FormatSpec = {
  title: 'Index',
  paths: ['index/<17 digits>'],
  matches: /^index\/\d+$/,
  by: 'RocketMQ',
  about:
    'Finds messages by a key: a hash table on disk, header, slots, entries. Derived from the log, as the queues are.',
  written:
    'By the dispatcher, by way of a mapping; sparse, of its full size from the beginning, and filled until indexCount reaches maxIndexNum. Named by the local time at which it was made.',
  code: 'src/store/index/index-layout.ts',
  pieces: [HEADER, SLOT, INDEX_ENTRY],
  beware: [
    'The number of slots stands nowhere in the file. `log dump` finds it by the content; where that fails, --index-slots tells.',
    'Local time is in the name: after a change of the time zone names need not ascend with time.',
    'Not every record is in it: those without key and tag are not, nor are rollback marks.',
    'A record may be in it several times, once for each key.',
  ],
};
