/** The files of ConsumeQueues. Held against src/store/queue/consume-queue.ts by a test. */
import type { FormatSpec, PieceSpec } from './shape.ts';

export const ENTRY: PieceSpec = {
  name: 'entry',
  place: 'entry n of the queue at byte n × 20 of the sequence of its files',
  fields: [
    {
      name: 'physicalOffset',
      type: 'i64',
      meaning: 'position of the record in the log',
      why: 'Where a pull finds the message. Ascends from entry to entry, as the queue follows the log.',
      beware:
        'That the log still has this position: its files expire before those of the queue, and entries in front of the first file are of messages that are gone.',
    },
    {
      name: 'size',
      type: 'i32',
      meaning: 'bytes of the record',
      why: 'A pull copies so many bytes without a look at the record. 0 in an entry that was never written, 0x7fffffff in one that only fills the place in front of the first real one.',
    },
    {
      name: 'tagsCode',
      type: 'i64',
      meaning: "Java's hash of TAGS",
      why: 'Lets a broker skip messages of other tags without reading the log: String.hashCode, 32 bits with their sign; 0 without a tag. In queues of SCHEDULE_TOPIC_XXXX it is the time at which the message is due, ms since 1970.',
      beware:
        'That equal hashes are equal tags: consumers compare the text again. A number below -2147483648 is an address in consumequeue_ext.',
    },
  ],
};

const BEWARE = [
  'Offsets of a queue count from 0 in each queue, one for each entry; file names are bytes, so the entry is (name + byte) / 20.',
  'A queue need not begin at entry 0: files expire. Where it began later, fillers (0, 0x7fffffff, 0) stand in front of its first entry.',
  'The file is as long as ever (6,000,000 bytes = 300,000 entries by default); zeros behind the last entry say nothing. Old entries may stand there after a crash: RocketMQ cuts by its counters only.',
  'The newest file stays when all its messages have expired: the queue counts on from it.',
  'Messages that were purged still have their entries: ringmq.topics says from which position the topic begins.',
];

export const CONSUME_QUEUE: FormatSpec = {
  title: 'ConsumeQueue',
  paths: ['consumequeue/<topic>/<queue>/<20 digits>'],
  matches: /^consumequeue\/[^/]+\/\d+\/\d{20}$/,
  by: 'RocketMQ',
  about:
    'The messages of one queue of one topic, as places in the log. Derived from the log: a queue that is lost is built again as far as the log reaches.',
  written:
    'By the dispatcher, which follows the log: once a message is appended, or under SYNC_FLUSH durable. A message can be consumed when its entry is written. Synced by the checkpoint, every few seconds.',
  code: 'src/store/queue/consume-queue.ts',
  pieces: [ENTRY],
  beware: BEWARE,
};

export const DELETED_QUEUE: FormatSpec = {
  ...CONSUME_QUEUE,
  title: 'ConsumeQueue of a deleted topic',
  paths: ['consumequeue/.deleted/queues-<n>/<queue>/<20 digits>'],
  matches: /^consumequeue\/\.deleted\/[^/]+\/\d+\/\d{20}$/,
  by: 'RingMQ',
  about:
    'Queues of a topic that was deleted, moved away in one step and removed at leisure. No topic can have such a name.',
  written: 'Moved here by the dispatcher, removed by control, at the next start at the latest.',
  code: 'src/store/queue/deleted-queues.ts',
  beware: ['Nobody reads these files any more: they are on their way out.'],
};

export const QUEUE_EXTENSION: FormatSpec = {
  title: 'ConsumeQueue extension',
  paths: ['consumequeue_ext/<topic>/<queue>/<20 digits>'],
  matches: /^consumequeue_ext\/[^/]+\/\d+\/\d{20}$/,
  by: 'RocketMQ with enableConsumeQueueExt; RingMQ neither reads nor writes it',
  about:
    'What RocketMQ keeps of a message beyond the 20 bytes of its queue entry: the real tag hash, and bits of the SQL filters that it matches.',
  written:
    'By RocketMQ, together with the queue entry, whose tagsCode is then the address of a unit: offset here less 2^63.',
  code: 'src/cli/log/dump-queue.ts',
  pieces: [
    {
      name: 'unit',
      place: 'one behind the other; size -1 where the next one did not fit into the file',
      fields: [
        {
          name: 'size',
          type: 'i16',
          meaning: 'bytes of the unit',
          why: '20 and the bytes of the bit map; -1 ends the file.',
        },
        {
          name: 'tagsCode',
          type: 'i64',
          meaning: "Java's hash of TAGS",
          why: 'What the queue entry would hold without this file.',
        },
        {
          name: 'msgStoreTime',
          type: 'i64',
          meaning: 'store time of the message, ms since 1970',
          why: 'Compared with the time since when a filter exists.',
        },
        {
          name: 'bitMapSize',
          type: 'i16',
          meaning: 'bytes of the bit map',
          why: '0 without enableCalcFilterBitMap.',
        },
        {
          name: 'bitMap',
          type: 'bytes',
          size: { words: 'bitMapSize', of: (values) => values.get('bitMapSize') ?? -1 },
          meaning: 'bits of a Bloom filter',
          why: 'A bit for each consumer filter that the message matches.',
        },
      ],
    },
  ],
  beware: [
    'Without this file the tag hashes of its queues are lost: RingMQ then looks at the tags of the records.',
  ],
};

export const BATCH_QUEUE: FormatSpec = {
  title: 'Queue of batches',
  paths: ['batchconsumequeue/<topic>/<queue>/<20 digits>'],
  matches: /^batchconsumequeue\/[^/]+\/\d+\/\d{20}$/,
  by: 'RocketMQ, for topics with queue.type=BatchCQ; RingMQ neither reads nor writes it',
  about: 'As a ConsumeQueue, with an entry for each batch that was stored as one record.',
  written: 'By the dispatcher of RocketMQ.',
  code: 'src/cli/log/dump-queue.ts',
  pieces: [
    {
      name: 'unit',
      place: '46 bytes each, one behind the other',
      fields: [
        {
          name: 'physicalOffset',
          type: 'i64',
          meaning: 'position of the record in the log',
          why: 'As in a ConsumeQueue.',
        },
        { name: 'size', type: 'i32', meaning: 'bytes of the record', why: 'As in a ConsumeQueue.' },
        { name: 'tagsCode', type: 'i64', meaning: "Java's hash of TAGS", why: 'As in a ConsumeQueue.' },
        {
          name: 'storeTime',
          type: 'i64',
          meaning: 'store time of the record, ms since 1970',
          why: 'For offsets by time, without a look at the log.',
        },
        {
          name: 'msgBaseOffset',
          type: 'i64',
          meaning: 'queue offset of the first message of the batch',
          why: 'The others follow it by one each.',
        },
        {
          name: 'batchSize',
          type: 'i16',
          meaning: 'messages in the batch',
          why: 'The next unit begins at msgBaseOffset + batchSize.',
        },
        { name: 'compactedOffset', type: 'i32', meaning: '-1', why: 'Of compaction topics.' },
        { name: 'reserved', type: 'i32', meaning: '0', why: 'Fills the 46 bytes.' },
      ],
    },
  ],
  beware: ['Entry n does not stand at byte n × 46: offsets are found by bisection over msgBaseOffset.'],
};
