/** The checkpoint, and the small files that say who uses the store. Held against their writers by a test. */
import type { FormatSpec, PieceSpec } from './shape.ts';

export const CHECKPOINT_FIELDS: PieceSpec = {
  name: 'checkpoint',
  place: 'once, at byte 0; the other 4048 bytes are zero',
  fields: [
    {
      name: 'physicMsgTimestamp',
      type: 'i64',
      meaning: 'store time of a record known to be durable in the log',
      why: 'RocketMQ up to 5.3 began recovery by it; RingMQ writes it for those.',
    },
    {
      name: 'logicsMsgTimestamp',
      type: 'i64',
      meaning: 'store time of the last record whose queue entry is durable',
      why: 'Where a broker older than 5.5 begins to scan after a crash.',
      beware:
        'That it names one record: several have the same time, and after a clock was set back older ones are younger. logicsPhysicalOffset is exact.',
    },
    {
      name: 'indexMsgTimestamp',
      type: 'i64',
      meaning: 'store time of the last record in a completed index file',
      why: 'After a crash RocketMQ throws away index files that end later.',
    },
    {
      name: 'masterFlushedOffset',
      type: 'i64',
      meaning: 'of a slave: what resetMasterFlushOffset has set',
      why: 'Kept for tools; recovery does not look at it.',
    },
    {
      name: 'confirmPhyOffset',
      type: 'i64',
      meaning: 'only with a controller',
      why: 'RingMQ writes 0.',
    },
    {
      name: 'logicsPhysicalOffset',
      type: 'i64',
      meaning: 'start of the record of logicsMsgTimestamp: recovery after a crash begins there',
      why: 'Queue entries of all records before it are durable; those behind it are entered again from the log. It is sampled before the queues are synced and written after.',
      beware:
        'That it is recent, or that the log still has it: too low a value costs time only. 0 means that the file was written by an older version, or never.',
    },
  ],
};

export const CHECKPOINT: FormatSpec = {
  title: 'Checkpoint',
  paths: ['checkpoint'],
  matches: /^checkpoint$/,
  by: 'RocketMQ',
  about: 'How far log, queues and index are durable: where a start after a crash has to begin.',
  written:
    'Every few seconds and at a clean stop, replaced as a whole (RocketMQ overwrites it in its place). 4096 bytes.',
  code: 'src/store/log/checkpoint.ts',
  pieces: [CHECKPOINT_FIELDS],
  beware: [
    'It has no checksum. A missing or short one counts as zeros: the whole log is looked at.',
    'It promises too little rather than too much, so the log holds more than it says, always.',
    'Brokers before 5.5 leave the last field as it was.',
  ],
};

export const ABORT: FormatSpec = {
  title: 'abort',
  paths: ['abort'],
  matches: /^abort(?:\.bak)?$/,
  by: 'RocketMQ',
  about:
    'Exists while a broker runs. Found at a start it says that the last stop was not clean, and recovery trusts less.',
  written:
    'At the start, when recovery is done; removed by a stop that left everything durable and dispatched.',
  code: 'src/store/opening.ts',
  members: [
    {
      path: '(text)',
      type: 'decimal number',
      meaning: 'process id of the broker',
      beware:
        'That such a process runs, or is a broker: only the lock tells. On a full disk the file is empty.',
    },
  ],
  beware: ['Its existence is what counts, not its content. abort.bak is of RocketMQ and says nothing.'],
};

export const LOCK: FormatSpec = {
  title: 'lock',
  paths: ['lock'],
  matches: /^lock$/,
  by: 'RocketMQ',
  about:
    'A broker holds a lock on the first byte of this file while it uses the store, so that no second one does.',
  written: 'Made once and left. RocketMQ writes the word lock into it, RingMQ nothing.',
  code: 'native/path_calls.cc',
  members: [{ path: '(text)', type: 'text', meaning: '`lock`, or nothing' }],
  beware: [
    'That the file is there does not say that the store is in use: the lock is in the kernel, and ends with its process.',
    'A copy of a store brings the file along, not the lock.',
  ],
};

export const BOOT: FormatSpec = {
  title: 'ringmq.boot',
  paths: ['ringmq.boot'],
  matches: /^ringmq\.boot$/,
  by: 'RingMQ',
  about:
    'The boot of the machine in which the store was opened last. In the same boot what a killed broker has written is still in the page cache; in another one only what was synced is there.',
  written: 'At each start, as a whole.',
  code: 'src/store/opening.ts',
  members: [
    {
      path: '(text)',
      type: 'text',
      meaning: "the kernel's boot_id; empty where nobody tells",
      beware: 'That it is of this machine: a copied store has the one of the other.',
    },
  ],
  beware: ['A missing file counts as another boot.'],
};

export const TEMPORARY: FormatSpec = {
  title: 'ringmq.temporary',
  paths: ['ringmq.temporary'],
  matches: /^ringmq\.temporary$/,
  by: 'RingMQ',
  about:
    'Marks the store of an embedded broker that goes with its process. Its maker holds a lock on it; a later start removes stores whose lock is free.',
  written: 'Empty, when the store is made.',
  code: 'src/embed/temporary-store.ts',
  members: [{ path: '(text)', type: 'text', meaning: 'nothing' }],
  beware: ['Do not copy it into a store that is to stay.'],
};
