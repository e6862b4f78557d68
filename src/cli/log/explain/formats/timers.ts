/** The files of timed messages: wheel, log, checkpoint. Held against src/delivery/timer by a test. */
import type { FieldSpec, FormatSpec, PieceSpec } from './shape.ts';

export const WHEEL_SLOT: PieceSpec = {
  name: 'slot',
  place: '1,209,600 of 32 bytes; slot number n at place n mod 1,209,600',
  fields: [
    {
      name: 'time',
      type: 'i64',
      meaning: 'slot number: ms / timerPrecisionMs',
      why: 'Which time the chain is for: the wheel comes round every 14 days (at 1000 ms), and a slot of another time counts as empty.',
      beware: 'That the slot is still to come: delivered ones stay as they are until they are used again.',
    },
    {
      name: 'first',
      type: 'i64',
      meaning: 'oldest unit of its chain, -1 = none',
      why: 'Position in the timer log.',
    },
    {
      name: 'last',
      type: 'i64',
      meaning: 'newest unit of its chain, -1 = none',
      why: 'Position in the timer log: a reader begins here and goes back unit by unit.',
    },
    {
      name: 'count',
      type: 'i32',
      meaning: 'messages less recalls',
      why: 'Tells how full the slot is without walking the chain.',
      beware: 'That it is the length of the chain: a recall is a unit too.',
    },
    {
      name: 'seal',
      type: 'i32',
      meaning: 'CRC-32 of the 28 bytes in front, its last bit set',
      why: "RingMQ's: tells damage from what was written. RocketMQ makes it 0, and leaves it as it is when it changes the slot.",
      beware: 'That a wrong seal is damage: RocketMQ may have had the store since.',
    },
  ],
};

export const TIMER_WHEEL: FormatSpec = {
  title: 'Timer wheel',
  paths: ['timerwheel', 'timerwheel.<position in the timer log>'],
  matches: /^timerwheel(?:\.\d+)?$/,
  by: 'RocketMQ',
  about:
    'A slot for each second of 14 days: the head of a chain in the timer log with the timed messages that are due then. With a number in its name it is a snapshot of RocketMQ (timerWheelSnapshotFlush).',
  written:
    'In place, what has changed, behind the timer log; both are synced before each timercheck. Sparse. With the log it can be made anew from the queue of rmq_sys_wheel_timer.',
  code: 'src/delivery/timer/timer-layout.ts',
  pieces: [WHEEL_SLOT],
  beware: [
    'The file is always 38,707,200 bytes, whatever the precision is.',
    'Zeros are an empty slot that was never used; (-1, -1) one whose chain was taken out.',
  ],
};

export const TIMER_UNIT: PieceSpec = {
  name: 'unit',
  place: 'one behind the other, 52 bytes each',
  fields: [
    {
      name: 'size',
      type: 'i32',
      meaning: '52',
      why: 'The size of the unit; anything else is the end, or damage.',
    },
    {
      name: 'previous',
      type: 'i64',
      meaning: 'unit before it in its slot, -1 = none',
      why: 'The chain. Always a lower position than its own.',
      beware: 'That the unit is still there: files of the timer log expire with the CommitLog.',
    },
    {
      name: 'magic',
      type: 'i32',
      meaning: '1 | roll 2 | recall 4',
      why: 'Roll: too far away for the wheel, it goes into the timer topic once more when the slot comes. Recall: takes back a message of the same slot.',
    },
    {
      name: 'writeTime',
      type: 'i64',
      meaning: 'when it was put into the wheel, ms since 1970',
      why: 'With delayed: the time of its slot.',
    },
    {
      name: 'delayed',
      type: 'i32',
      meaning: 'ms from writeTime to the time of the slot',
      why: 'Says in which slot the unit is, also without the wheel.',
      beware: 'That it is when the message is due: a slot begins up to timerPrecisionMs before.',
    },
    {
      name: 'phyOffset',
      type: 'i64',
      meaning: 'position in the CommitLog of the record in rmq_sys_wheel_timer',
      why: 'The message itself.',
    },
    {
      name: 'sizePy',
      type: 'i32',
      meaning: 'bytes of that record',
      why: 'Read as a whole, without a look at its header.',
    },
    {
      name: 'realTopicHash',
      type: 'i32',
      meaning: "Java's hash of the topic that the message is for",
      why: "RocketMQ's figures by topic.",
    },
    {
      name: 'due',
      type: 'i64',
      meaning: 'seal in the upper 20 bits, below it 2 × due ms, + 1 when counted in elapsed time',
      why: "RingMQ's: when exactly the message is due, and by which clock. RocketMQ writes 0 and does not read it.",
      beware: 'That it is there: 0 in all that RocketMQ has written, and then only the slot is known.',
    },
  ],
};

export const TIMER_BLANK: PieceSpec = {
  name: 'BLANK',
  place: 'once, behind the last unit of a full file',
  fields: [
    {
      name: 'size',
      type: 'i32',
      meaning: 'bytes left in the file',
      why: 'The log goes on in the next file.',
    },
    { name: 'zero', type: 'i64', meaning: '0', why: 'Where a unit has previous.' },
    { name: 'magic', type: 'i32', meaning: 'the file ends here', why: '0xcbd43194, as in the CommitLog.' },
  ],
};

export const TIMER_LOG: FormatSpec = {
  title: 'Timer log',
  paths: ['timerlog/<20 digits>'],
  matches: /^timerlog\/\d{20}$/,
  by: 'RocketMQ',
  about: 'A unit for each time that a timed message was put into the wheel, chained by slot.',
  written:
    'Appended, in front of the wheel; synced before each timercheck. Files of mappedFileSizeTimerLog bytes (100 MiB), named by their first position.',
  code: 'src/delivery/timer/timer-layout.ts',
  pieces: [TIMER_UNIT, TIMER_BLANK],
  beware: [
    'A unit is not changed when its message is delivered or recalled: how far delivery is stands in timercheck.',
    'A message has several units when it was rolled.',
    'Positions count on over files; the last bytes of each file hold no unit.',
  ],
};

const i64 = (name: string, meaning: string, why: string, more: Partial<FieldSpec> = {}): FieldSpec => ({
  name,
  type: 'i64',
  meaning,
  why,
  ...more,
});

export const TIMER_CHECK_FIELDS: PieceSpec = {
  name: 'timercheck',
  place: "once, at byte 0: RocketMQ's",
  fields: [
    i64('lastReadTimeMs', 'slots before it have been delivered', 'Where delivery goes on.'),
    i64(
      'lastTimerLogFlushPos',
      'the timer log is durable up to there',
      'Where recovery begins to compare wheel and log.',
    ),
    i64(
      'lastTimerQueueOffset',
      'entries of rmq_sys_wheel_timer before it are in the wheel',
      'Where the queue of the timer topic is read on.',
    ),
    i64('masterTimerQueueOffset', 'the same, on a master', 'RocketMQ takes the smaller of both.', {
      beware:
        'That 0 is harmless: RocketMQ would put the whole queue into the wheel once more, and deliver what is long over.',
    }),
    i64('stateVersion', 'of the data version', 'Slaves compare it.'),
    i64('timestamp', 'of the last change, ms since 1970', 'Part of the data version.'),
    i64(
      'counter',
      'of changes',
      'Part of the data version. RingMQ tells by it whether RocketMQ has written the file since.',
    ),
  ],
};

export const TIMER_CHECK_OWN: PieceSpec = {
  name: "RingMQ's part",
  place: 'once, at byte 2048; holds only while counter and logEnd are those of the fields in front',
  fields: [
    i64('magic', '0x52494e474d52, RINGMR in ASCII', 'Tells that RingMQ has written this part.'),
    i64(
      'ownCounter',
      'counter of the data version',
      'When it differs from counter, RocketMQ has had the store, and this part says nothing.',
    ),
    i64('ownLogEnd', 'end of the timer log', 'The same, by lastTimerLogFlushPos.'),
    i64('precisionMs', 'timerPrecisionMs', 'What slot numbers are counted in.'),
    i64(
      'boot',
      'the boot that base belongs to, 0 = nobody tells',
      'The monotonic clock begins anew with each boot.',
    ),
    {
      name: 'base',
      type: 'f64',
      meaning: 'elapsed time less the monotonic clock, ms',
      why: 'Spans are counted in elapsed time, which nobody sets.',
    },
    {
      name: 'ahead',
      type: 'f64',
      meaning: "the machine's clock less elapsed time, ms",
      why: 'The wheel is ordered by the clock of the machine.',
    },
    i64('readSlot', 'first slot of which something may be left', 'Where delivery goes on, exactly.'),
    i64(
      'floor',
      'position in the timer log: in readSlot its units up to there are delivered',
      'So that nothing of a slot comes twice.',
    ),
    i64('steps', 'how many entries of the next table count', 'Times that the clock was set back.'),
    {
      name: 'stepTable',
      type: 'bytes',
      size: 48 * 32,
      meaning: '48 entries of 32 bytes: position i64, ahead f64, lastSlot i64, passed i64',
      why: 'By which units are told that stand in a slot of before the clock was set.',
    },
    {
      name: 'timeDue',
      type: 'f64',
      meaning: 'slots delivered in part: due time up to which',
      why: 'Of messages for a time.',
    },
    {
      name: 'timePosition',
      type: 'f64',
      meaning: 'and position in the timer log',
      why: 'Between messages that are due at the same time.',
    },
    {
      name: 'spanDue',
      type: 'f64',
      meaning: 'the same of messages after a span',
      why: 'They go by another clock.',
    },
    { name: 'spanPosition', type: 'f64', meaning: 'and position in the timer log', why: 'As above.' },
    i64('slots', 'how many entries of the next table count', 'Slots that are delivered in part.'),
    {
      name: 'slotTable',
      type: 'bytes',
      size: 16 * 16,
      meaning: '16 entries of 16 bytes: slot i64, 2 × last unit + 1 when all of it is delivered i64',
      why: 'Up to which unit each of them is.',
    },
    i64(
      'remaking',
      '1: wheel and log are being made anew',
      'A stop or crash in between: they are begun again.',
    ),
    i64(
      'displacedFrom',
      'position in the timer log before which no unit stands in a later slot than its own, -1: none does',
      'From there on the slot alone does not say when a unit is due.',
    ),
    {
      name: 'ownCrc',
      type: 'u32',
      meaning: 'CRC-32 of this part up to here',
      why: 'Without it this part says nothing.',
    },
    { name: 'gap', type: 'bytes', size: 4, meaning: 'zeros', why: 'To a multiple of eight.' },
    i64(
      'lateFirst',
      'slots before it that are over are delivered whole; -1 no unit is late, -2 nobody knows',
      'Units that had to go into a later slot than their own: who makes the wheel anew from the queue must not take them for delivered.',
    ),
    i64('lateUntil', 'those behind lateFirst too, when this slot is over', 'As above.'),
    {
      name: 'fieldsCrc',
      type: 'u32',
      meaning: "CRC-32 of RocketMQ's 56 bytes and the two numbers in front",
      why: 'Holds the two to what they were written with.',
    },
  ],
};

export const TIMER_CHECK: FormatSpec = {
  title: 'Timer checkpoint',
  paths: ['config/timercheck'],
  matches: /^config\/timercheck$/,
  by: 'RocketMQ, with a part of RingMQ behind it',
  about: 'How far timed messages have come.',
  written:
    'When wheel and log have been synced, and at a stop; as a whole. 4096 bytes, of which RocketMQ writes the first 56 and leaves the others alone.',
  code: 'src/delivery/timer/timer-check.ts',
  pieces: [TIMER_CHECK_FIELDS, TIMER_CHECK_OWN],
  beware: [
    "RocketMQ's fields have no checksum of their own; RingMQ's part has one.",
    'What it says of the wheel holds only with the wheel and the log that lie beside it.',
  ],
};
