/** The CommitLog: records, and the BLANK that ends a file. Held against src/record/layout.ts by a test. */
import { MAGIC_V2, SYS_BORN_HOST_V6, SYS_STORE_HOST_V6 } from '../../../../record/layout.ts';
import type { FieldSpec, FormatSpec, PieceSpec, SizeRule } from './shape.ts';

function sizedBy(name: string): SizeRule {
  return { words: name, of: (values) => values.get(name) ?? -1 };
}

function hostBytes(flag: number): SizeRule {
  return {
    words: '8, or 20 with IPv6',
    of: (values) => (((values.get('sysFlag') ?? 0) & flag) === 0 ? 8 : 20),
  };
}

const topicLengthBytes: SizeRule = {
  words: '1 in V1, 2 in V2',
  of: (values) => (values.get('magic') === MAGIC_V2 ? 2 : 1),
};

const HEAD: readonly FieldSpec[] = [
  {
    name: 'totalSize',
    type: 'i32',
    meaning: 'bytes of the whole record',
    why: 'Leads to the next record: the log has no other index of its own. A reader recomputes it from the lengths of the parts, and takes the record for damaged when they differ.',
    beware:
      'That it is sane before the magic was looked at: behind the end of the log it is 0, or what an older record has left.',
  },
  {
    name: 'magic',
    type: 'i32',
    meaning: 'the version of the record',
    why: '0xdaa320a7 (V1: topic length in one byte), 0xdaa320ab (V2: in two bytes), 0xcbd43194 (BLANK: the file ends here). Zeros stand where nothing was written yet.',
    beware:
      'That a file holds one version only: V2 is written for topics longer than 127 bytes, between records of V1.',
  },
  {
    name: 'bodyCrc',
    type: 'i32',
    meaning: 'CRC-32 of the body & 0x7fffffff',
    why: 'Tells a body that was only half written, or damaged since. 0 when there is no body.',
    beware:
      'That it covers anything but the body: header, topic and properties have no checksum, as three fields of the header are known only when the record is appended.',
  },
  {
    name: 'queueId',
    type: 'i32',
    meaning: 'the queue of the topic',
    why: 'With the topic it names the ConsumeQueue that has an entry for this record.',
  },
  {
    name: 'flag',
    type: 'i32',
    meaning: "the application's",
    why: 'The broker hands it on as it came, and does not look at it.',
  },
  {
    name: 'queueOffset',
    type: 'i64',
    meaning: 'number of its entry in the ConsumeQueue',
    why: 'Set when the record is appended, counted from 0 in each queue of each topic. Recovery and `log check` find by it whether the queue lacks an entry.',
    beware:
      'That it is unique: a topic that was deleted and made again counts from 0. Half messages count in their own topic, rollback marks have 0.',
  },
  {
    name: 'physicalOffset',
    type: 'i64',
    meaning: 'position of this record in the log',
    why: 'Set when the record is appended: file name + offset in the file. Old bytes that look like a record are told from a record by it.',
    beware:
      'That every writer checks it: RocketMQ does not by default, and takes whole old records behind the end of its log for new ones.',
  },
  {
    name: 'sysFlag',
    type: 'i32',
    meaning: 'bits of the broker and the client library',
    why: '0x1 the body is compressed (0x700: by what), 0x2 several tags, 0x4 half message, 0x8 committed, 0xc rolled back, 0x10 bornHost is IPv6, 0x20 storeHost is IPv6, 0x40 and 0x80 the body is a batch. 0x10 and 0x20 move all that follows by 12 bytes each.',
  },
  {
    name: 'bornTimestamp',
    type: 'i64',
    meaning: 'when the producer made the message, ms since 1970',
    why: "Shown to consumers and tools; the producer's clock.",
    beware: 'That it fits the store time: another machine has set it.',
  },
  {
    name: 'bornHost',
    type: 'host',
    size: hostBytes(SYS_BORN_HOST_V6),
    meaning: 'the producer',
    why: 'Address of 4 bytes (16 when sysFlag has 0x10), then the port in 4 bytes. For people who look for the sender.',
  },
  {
    name: 'storeTimestamp',
    type: 'i64',
    meaning: 'when the broker stored the message, ms since 1970',
    why: 'What offsets by time, retention, delay levels, the index and the checkpoint go by.',
    beware:
      'That it never goes back: it ascends as long as the clock does, and a clock that was set back by more than an hour takes it along.',
  },
  {
    name: 'storeHost',
    type: 'host',
    size: hostBytes(SYS_STORE_HOST_V6),
    meaning: 'the broker',
    why: 'Address and port of the broker that stored it. With the position it makes the message id, so clients dial it.',
    beware: 'That the broker still has this address.',
  },
  {
    name: 'reconsumeTimes',
    type: 'i32',
    meaning: 'failed deliveries so far',
    why: 'How often consumers have given the message back. A retry is a new record with a higher number; this one never changes.',
  },
  {
    name: 'preparedTransactionOffset',
    type: 'i64',
    meaning: 'of a committed message: position of its half message',
    why: 'Leads from the message that consumers got to the half message that was sent first. 0 for all others.',
    beware: 'That something stands there: the half message expires with its file.',
  },
];

const PARTS: readonly FieldSpec[] = [
  {
    name: 'bodyLength',
    type: 'i32',
    meaning: 'bytes of the body',
    why: 'Where the body ends and the length of the topic begins. 0 is allowed.',
  },
  {
    name: 'body',
    type: 'bytes',
    size: sizedBy('bodyLength'),
    meaning: 'what the application sent',
    why: 'Stored and handed on as it came. Compressed when sysFlag has 0x1: the broker never unpacks it.',
    beware: 'That it is text.',
  },
  {
    name: 'topicLength',
    type: 'i8',
    size: topicLengthBytes,
    meaning: 'bytes of the topic',
    why: 'One signed byte in V1, so at most 127; two in V2.',
  },
  {
    name: 'topic',
    type: 'text',
    size: sizedBy('topicLength'),
    meaning: 'the topic in whose queue the record is',
    why: 'The name of the folder of its ConsumeQueue. Delayed, timed and half messages stand under a topic of the broker, and name the real one in REAL_TOPIC.',
    beware: 'That the topic still exists, or is the same: the log knows its name only.',
  },
  {
    name: 'propertiesLength',
    type: 'i16',
    meaning: 'bytes of the properties',
    why: 'Two signed bytes: at most 32767.',
  },
  {
    name: 'properties',
    type: 'properties',
    size: sizedBy('propertiesLength'),
    meaning: 'name, 0x01, value, 0x02, and so on',
    why: 'KEYS and UNIQ_KEY go into the index, the hash of TAGS into the ConsumeQueue; DELAY, REAL_TOPIC, TRAN_MSG, TIMER_OUT_MS and others tell the broker what to do with the message.',
    beware: 'That the last 0x02 is there (RocketMQ 4 left it out), or that a name comes only once.',
  },
];

export const RECORD: PieceSpec = {
  name: 'record',
  place:
    'one behind the other from the beginning of the file; one message each, a batch as many as it has messages',
  fields: [...HEAD, ...PARTS],
};

export const BLANK: PieceSpec = {
  name: 'BLANK',
  place: 'once, where the next record did not fit: the file ends behind it',
  fields: [
    {
      name: 'size',
      type: 'i32',
      meaning: 'bytes left in this file: the next record did not fit',
      why: 'Always the whole rest of the file, this field included: readers go on at the beginning of the next file.',
      beware: 'That the rest is zero: nobody looks at it.',
    },
    {
      name: 'magic',
      type: 'i32',
      meaning: 'the log goes on in the next file',
      why: '0xcbd43194, where a record has its own magic. So 8 bytes at least stay free behind the last record of a file.',
    },
  ],
};

const COMMON_BEWARE = [
  'Behind the last record of the newest file stand zeros, up to the size of the file: the file is as long as ever, however little is in it. A RocketMQ with writeWithoutMmap leaves old bytes there, whole records among them.',
  'The first file need not be the one at 0: files expire, oldest first, and positions count on for ever.',
  'A record or a batch never spans two files.',
  'Damage does not end the log: sound records may follow. RingMQ fills a hole with records of the topic RINGMQ_HOLE, which are in no queue, and a damaged body with a record that has the property RINGMQ_DAMAGED.',
  'A record is not changed when its message is consumed, purged, retried or its topic deleted: all of that stands elsewhere (consumerOffset.json, ringmq.topics), or is a new record.',
];

export const COMMIT_LOG: FormatSpec = {
  title: 'CommitLog',
  paths: ['commitlog/<20 digits>'],
  matches: /^commitlog\/\d{20}$/,
  by: 'RocketMQ',
  about:
    'All messages of all topics in the order in which they were stored. Everything else in the store can be made anew from it, but for what people have configured and how far consumers are.',
  written:
    'Appended by one thread, each record once; its first eight bytes come last, so a torn record begins with zeros. Named by the position of its first byte, of mappedFileSizeCommitLog bytes (1 GiB) from the beginning. Synced with each group of sends (SYNC_FLUSH) or every 500 ms.',
  code: 'src/record/layout.ts',
  pieces: [RECORD, BLANK],
  beware: COMMON_BEWARE,
};

export const CUT: FormatSpec = {
  title: 'What recovery took out of the log',
  paths: ['commitlog/ringmq.cut/<20 digits>.cut', 'commitlog/ringmq.cut/<20 digits>.cut-<20 digits>'],
  matches: /^commitlog\/ringmq\.cut\/\d{20}\.cut(?:-\d{20})?(?:\.\d+)?$/,
  by: 'RingMQ',
  about:
    'Bytes of the CommitLog that a start has cut off or overwritten: a torn tail, a damaged place, what a master did not have. Nothing that was ever in the log is only overwritten.',
  written:
    'By recovery, before it changes the log, and durable then. The first number is the position of the first byte; with a second one it is a whole file of the log, that of the second number, moved here because the log ended at the first.',
  code: 'src/store/recovery/set-aside.ts',
  pieces: [RECORD, BLANK],
  beware: [
    'No broker reads these files: they are for people, and may be deleted.',
    'The bytes may begin in the middle of a record, or be no record at all.',
  ],
};
