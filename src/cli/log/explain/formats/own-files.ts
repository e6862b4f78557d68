/** The files of RingMQ's own, JSON in the root of the store. Held against their writers by a test. */
import type { FormatSpec, MemberSpec } from './shape.ts';

const WRITTEN = 'As a whole: a temporary file, a sync, a rename, a sync of the directory.';
const COMMON = ['RocketMQ leaves it alone, and it outlives a time with RocketMQ: what it says may be old.'];

function own(
  name: string,
  spec: Omit<FormatSpec, 'title' | 'paths' | 'matches' | 'by' | 'beware'> & { beware?: string[] },
): FormatSpec {
  return {
    ...spec,
    title: name,
    paths: [name],
    matches: new RegExp(`^${name.replaceAll('.', '\\.')}$`),
    by: 'RingMQ',
    beware: [...(spec.beware ?? []), ...COMMON],
  };
}

export const TOPICS: FormatSpec = own('ringmq.topics', {
  about:
    'Where in the log topics begin that were deleted before, or purged: records of the name before that position count for nobody, also when all queues are built again. There is no record in the log that says so.',
  written: `When a topic is deleted or purged, before anything of it is removed. ${WRITTEN} An entry goes when the log begins behind it.`,
  code: 'src/store/topic-starts.ts',
  members: [
    {
      path: '*',
      type: 'number, or object',
      meaning: 'position behind the last record of the deleted topic of this name',
    },
    {
      path: '*.bornAt',
      type: 'number',
      meaning: 'the same, of a topic that was purged too; 0 = never deleted',
    },
    {
      path: '*.purgedTo',
      type: 'number',
      meaning: 'records before this position are purged; its offsets count on',
    },
  ],
  beware: [
    'RocketMQ does not know it: it would deliver purged messages again when it builds the queues anew.',
  ],
});

export const QUEUES: FormatSpec = own('ringmq.queues', {
  about:
    'Which queues and index files there must be, and how far they reached. A file that is gone leaves no trace, and its queue would begin at 0 again.',
  written: `With each checkpoint. ${WRITTEN}`,
  code: 'src/store/queue-ledger.ts',
  members: [
    { path: 'end', type: 'number', meaning: 'all that is counted here lies before this position of the log' },
    { path: 'logStart', type: 'number', meaning: 'where the log began' },
    {
      path: 'index.*',
      type: 'number',
      meaning: 'position of the last record in the index file of this name',
    },
    {
      path: 'queues.*.[]',
      type: 'list of numbers',
      meaning: 'of a topic, three for each queue: its number, its first offset, one past its last',
      beware: 'That a queue reaches only so far: it has gone on since.',
    },
  ],
});

export const REBUILDING: FormatSpec = own('ringmq.rebuilding', {
  about: 'Queues that were built again and are not durable yet. The next start builds them once more.',
  written: `By recovery, before the first entry. ${WRITTEN} It goes with the next checkpoint.`,
  code: 'src/store/recovery/rebuilding.ts',
  members: [{ path: '*.[]', type: 'list of numbers', meaning: 'queues of this topic' }],
});

export const FAILED_SYNC: FormatSpec = own('ringmq.failed-sync', {
  about:
    'A sync of the disk has failed: pages may read well and not be on the disk. The next start trusts no more than after a power cut, and writes the log again.',
  written: `At once when a sync fails. ${WRITTEN} It goes with the next checkpoint that works.`,
  code: 'src/store/recovery/failed-sync.ts',
  members: [
    {
      path: 'queuesTrustedUntil',
      type: 'number',
      meaning: 'queue entries of records before this position were durable before',
    },
  ],
  beware: ['A mark that cannot be read is a mark all the same.'],
});

export const BEGINNING: FormatSpec = own('ringmq.beginning', {
  about: "Of a slave: where its empty log has to begin, as its master's does.",
  written: `Before the restart that does it. ${WRITTEN} Removed when it is done.`,
  code: 'src/store/recovery/beginning.ts',
  members: [
    {
      path: 'position',
      type: 'number',
      meaning: "first position of the master's log; a multiple of the file size",
    },
  ],
  beware: ['A log that holds anything stays as it is.'],
});

export const DIVERGED: FormatSpec = own('ringmq.diverged', {
  about: "Of a slave: from where on its log differs from its master's, and has to be cut.",
  written: `Before the restart that cuts. ${WRITTEN} Removed before anything new is written.`,
  code: 'src/store/recovery/diverged.ts',
  members: [{ path: 'position', type: 'number', meaning: 'end of the last record that both have' }],
  beware: ['While it is there the store counts as not stopped cleanly.'],
});

/** A row of `spans`, wherever times of entries are kept. */
export const SPAN_ROWS: readonly MemberSpec[] = [
  {
    path: 'skew',
    type: 'number',
    meaning: "the machine's clock less the monotonic one when it was last looked at, ms",
  },
  { path: 'stepped', type: 'true or false', meaning: 'the clock had been set shortly before' },
  {
    path: 'spans.[].[]',
    type: 'five numbers a row',
    meaning:
      'entries up to end came between since and seen (monotonic, ms), at this skew; 1: the clock was set then',
  },
];

function below(prefix: string, members: readonly MemberSpec[]): MemberSpec[] {
  return members.map((member) => ({ ...member, path: `${prefix}.${member.path}` }));
}

export const TIMER_CLOCK: FormatSpec = own('ringmq.timer-clock', {
  about:
    'What spans of timed messages count in: elapsed time, which goes on from boot to boot and which nobody sets.',
  written: `Before the first unit of a boot that counts in it. ${WRITTEN} A stop adds when what is not in the wheel yet came.`,
  code: 'src/delivery/timer/timer-clock-file.ts',
  members: [
    { path: 'boot', type: 'number', meaning: 'the boot that base belongs to' },
    { path: 'base', type: 'number', meaning: 'elapsed time less the monotonic clock, ms' },
    { path: 'ahead', type: 'number', meaning: "the machine's clock less elapsed time, ms" },
    { path: 'elapsed', type: 'number', meaning: 'what elapsed time showed then, ms' },
    { path: 'timesBoot', type: 'number', meaning: 'the boot that times belong to' },
    ...below('times', SPAN_ROWS),
  ],
});

export const ACTED_TIMERS: FormatSpec = own('ringmq.acted-timers', {
  about:
    'Timed messages that a slave has delivered while this master was away: it passes them by when their time comes in its own wheel.',
  written: `When the master has taken them over from the slave, before delivery begins. ${WRITTEN} It goes a day after the last of them was due.`,
  code: 'src/delivery/acting/acted-timers.ts',
  members: [
    { path: 'takenAt', type: 'number', meaning: 'when they were taken over, ms since 1970' },
    {
      path: 'timers.[].[]',
      type: 'two numbers a row',
      meaning: 'position of the record in the CommitLog, and CRC-32 of the record there',
    },
  ],
  beware: ['A record with another checksum at that position is another message, and is delivered.'],
});

/** The prefix of what lies in the folder of an acting slave. */
export const ACTING_FOLDER = 'ringmq.acting/';

export const ACTING: FormatSpec = {
  title: 'ringmq.acting',
  paths: [
    `${ACTING_FOLDER}timerwheel`,
    `${ACTING_FOLDER}timerlog/<20 digits>`,
    `${ACTING_FOLDER}config/timercheck`,
  ],
  matches: /^ringmq\.acting\/$/,
  by: 'RingMQ',
  about:
    "Of a slave that acts for its master: wheel, timer log and checkpoint of the master's timed messages, made anew from the queue of rmq_sys_wheel_timer. Their layouts are those of a store.",
  written: 'Made when the slave begins to act, and removed when it ends.',
  code: 'src/delivery/delivery-link.ts',
  beware: ['What a crash leaves of it is removed when the slave acts once more.'],
};

export const DELAY_TIMES: FormatSpec = {
  title: 'ringmq.delayTimes.json',
  paths: ['config/ringmq.delayTimes.json'],
  matches: /^config\/ringmq\.delayTimes\.json$/,
  by: 'RingMQ',
  about:
    'When delayed messages came, by a clock that nobody sets. Waits go on exactly after a restart of the process.',
  written: 'With delayOffset.json, every 10 s and at a stop, as a whole.',
  code: 'src/metadata/delay-times.ts',
  members: [
    { path: 'boot', type: 'text', meaning: 'the boot in which it holds' },
    ...below('levels.*', SPAN_ROWS),
  ],
  beware: ['In another boot it says nothing; missing or damaged it makes waits less exact, no more.'],
};
