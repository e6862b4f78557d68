/**
 * What `log check` looks at, and why: told by `--explain` in front of each part and below what is wrong, and by
 * docs/log-tools.md. Every problem names its check.
 */

export interface CheckSpec {
  readonly part: 'CommitLog' | 'ConsumeQueues' | 'Index' | 'Checkpoint' | 'Timed messages';
  readonly what: string;
  readonly why: string;
}

export const CHECKS = {
  'log-names': {
    part: 'CommitLog',
    what: 'Only files named by 20 digits lie in the directory of the log, each a multiple of the file size.',
    why: 'No broker starts when anything else lies there, and positions are found by these names.',
  },
  'log-sequence': {
    part: 'CommitLog',
    what: 'Each file begins where the one in front ends.',
    why: 'A file that is missing takes its messages along. RingMQ does not start then; RocketMQ warns, and reads past the gap as far as it can.',
  },
  'log-size': {
    part: 'CommitLog',
    what: 'All files have the same size, and can be read.',
    why: 'A position is turned into file and offset by this size. A short file is one that was cut, or a copy that did not end.',
  },
  'log-record': {
    part: 'CommitLog',
    what: 'One record follows the other: magic, a size that fits the file and the sum of the parts, the own position in it, no zeros in topic and properties.',
    why: 'The header has no checksum, so all that it says twice is compared. Zeros are pages that never reached the disk; another position shows old bytes.',
  },
  'log-body': {
    part: 'CommitLog',
    what: 'The CRC-32 of each body is the one in its record.',
    why: 'The only checksum that there is: it finds bytes that have changed on the disk, and bodies that were written in part.',
  },
  'log-number': {
    part: 'CommitLog',
    what: 'The numbers of the records of a queue ascend by one.',
    why: 'A jump is a record that is missing. Behind damage numbers may jump, and a topic that was made again begins at 0.',
  },
  'log-time': {
    part: 'CommitLog',
    what: 'Store times do not go back, but for those of a clock that was wrong by more than an hour.',
    why: 'Offsets by time are found by bisection. A step back by a little is none of the clock: the record does not belong there.',
  },
  'log-transaction': {
    part: 'CommitLog',
    what: 'Half messages name the topic and queue for which they are meant; ends of transactions name half messages that there were by then.',
    why: 'Else the message can never be delivered, or is asked about again and again.',
  },
  'log-end': {
    part: 'CommitLog',
    what: 'A full file ends with a BLANK; behind the end of the log there are zeros.',
    why: 'RocketMQ takes whole records behind the end for new ones after a crash.',
  },
  'queue-sequence': {
    part: 'ConsumeQueues',
    what: 'Each file of a queue begins where the one in front ends.',
    why: 'An entry is found by its number alone: offset × 20 is the place in the sequence of files.',
  },
  'queue-size': {
    part: 'ConsumeQueues',
    what: 'All files have the same size, and can be read.',
    why: 'As above; a short file is a copy that did not end.',
  },
  'queue-entries': {
    part: 'ConsumeQueues',
    what: 'Entries follow each other without a hole; fillers stand only in front of the first real one.',
    why: 'A message whose entry is missing is delivered to nobody.',
  },
  'queue-order': {
    part: 'ConsumeQueues',
    what: 'Each entry points behind the one in front.',
    why: 'The queue follows the log: an entry that points back is of older bytes, and would deliver a message twice.',
  },
  'queue-record': {
    part: 'ConsumeQueues',
    what: 'Each entry points to the record of that topic, queue and number, with its size and the hash of its tag.',
    why: 'A pull copies the bytes that the entry names, without a look at them.',
  },
  'queue-end': {
    part: 'ConsumeQueues',
    what: 'The queue has an entry for each record that the log has for it.',
    why: 'A message without entry is in the log, and nobody gets it. After a crash queues may be behind: the next start catches up.',
  },
  'index-file': {
    part: 'Index',
    what: 'The file can be read, and its size and content fit a number of slots; indexCount fits its entries.',
    why: 'Neither the number of slots nor that of entries stands in the file.',
  },
  'index-chain': {
    part: 'Index',
    what: 'Each entry leads to the next older one of its slot, and each slot to its newest entry.',
    why: 'A key is found by walking this chain: behind a wrong link all older messages are lost to it.',
  },
  'index-record': {
    part: 'Index',
    what: 'Each entry points to a record that has a key with this hash.',
    why: 'Else a query finds another message, or none.',
  },
  'index-header': {
    part: 'Index',
    what: 'The header counts the slots in use, and covers the positions of its entries.',
    why: 'Files whose positions have left the log are deleted by it, and records are entered again behind it.',
  },
  'checkpoint-size': {
    part: 'Checkpoint',
    what: 'The file has its six numbers.',
    why: 'A short one counts as zeros: the start reads the whole log.',
  },
  'checkpoint-times': {
    part: 'Checkpoint',
    what: 'Its times are not ahead of the last record.',
    why: 'RocketMQ before 5.5 skips what they cover.',
  },
  'checkpoint-position': {
    part: 'Checkpoint',
    what: 'Its position is within the log, and a record begins there.',
    why: 'A start after a crash enters records into queues and index from there on: what lies before is believed.',
  },
  'timers-check': {
    part: 'Timed messages',
    what: 'config/timercheck holds positions and times, and its checksum.',
    why: 'Delivery goes on where it says.',
  },
  'timers-wheel': {
    part: 'Timed messages',
    what: 'The wheel has its size and can be read.',
    why: 'The place of a slot follows from its time.',
  },
  'timers-chain': {
    part: 'Timed messages',
    what: 'The chain of each slot leads through whole units to ever lower positions of the timer log.',
    why: 'Behind a unit that is missing no message of the slot is delivered.',
  },
  'timers-record': {
    part: 'Timed messages',
    what: 'Units that are not delivered yet point to records of the CommitLog.',
    why: 'The message itself stands there.',
  },
} as const satisfies Record<string, CheckSpec>;

export type CheckName = keyof typeof CHECKS;
export type Part = CheckSpec['part'];

export function checksOf(part: Part): [name: CheckName, check: CheckSpec][] {
  return (Object.entries(CHECKS) as [CheckName, CheckSpec][]).filter(([, check]) => check.part === part);
}
