/** `ringmq offset`: how far groups are behind, and resets of where they go on. */
import type { Command } from 'commander';
import { UserError } from '../../lib/user-error.ts';
import { RequestCode, ResponseCode } from '../../protocol/codes.ts';
import { Failure } from './failure.ts';
import { allMembersOf, copyGroupTo, requireGroup } from './groups.ts';
import { committedOffset, lagOf, nextOffset, type QueueLag, type Standing, standingsOf } from './lag.ts';
import { examples, numberOf, online } from './online.ts';
import { counted, note, print, printJson, table } from './output.ts';
import { eachOf } from './progress.ts';
import { confirm } from './question.ts';
import { endsOf, offsetAt } from './queue-reads.ts';
import { type ResetStep, type ResetTarget, resetStep, resetTargetOf } from './reset-plan.ts';
import { noTopic, readableQueues, requireRoute, routeOf } from './routes.ts';
import type { Servers } from './servers.ts';
import { now, spanText, timeText } from './times.ts';

export function offsetCommands(offset: Command): void {
  addLag(offset);
  addReset(offset);
}

function addLag(offset: Command): void {
  const command = offset
    .command('lag')
    .description('how far a group is behind, in messages and in time')
    .argument('<group>')
    .argument('[topic]');
  online(command, async (servers, [group = '', topic], { json = false }) => {
    const lags = await lagOf(servers, group, now(), topic);
    if (lags.length === 0) await explainNothing(servers, group, topic);
    const members = await allMembersOf(servers, group);
    const total = lags.reduce((sum, { lag }) => sum + lag, 0);
    if (json) return printJson({ group, members: members.length, lag: total, queues: lags.map(lagJson) });
    await print(lagTable(lags));
    const longest = Math.max(...lags.map(({ waitsMs = 0 }) => waitsMs));
    const late =
      total === 0
        ? 'nothing waits'
        : `${counted(total, 'message')} ${total === 1 ? 'waits' : 'wait'}, the oldest for ${spanText(longest)}`;
    await print(`\n${group}: ${late}; ${counted(members.length, 'member')} online.`);
  });
  examples(command, 'offset lag billing', 'offset lag billing orders --json');
}

/** Nothing is known of the group: either it does not exist, or it has not consumed anything. */
async function explainNothing(servers: Servers, group: string, topic: string | undefined): Promise<never> {
  if (topic !== undefined && (await routeOf(servers, topic)) === undefined)
    throw new Failure(await noTopic(servers, topic));
  await requireGroup(servers, group);
  const where = topic === undefined ? 'any topic' : topic;
  throw new Failure(`Group ${group} has committed nothing in ${where}: there is no lag to tell.`);
}

function lagTable(lags: readonly QueueLag[]): string {
  const several = new Set(lags.map(({ broker }) => broker)).size > 1;
  const rows = lags.map((lag) => [
    lag.topic,
    several ? `${lag.broker}/${lag.queueId}` : lag.queueId,
    lag.committed ?? '-',
    lag.max,
    lag.lag,
    spanOrDash(lag.waitsMs),
    spanOrDash(lag.behindLastMs),
    timeText(lag.lastConsumed),
  ]);
  return table(
    ['topic', 'queue', '#committed', '#end', '#lag', '#waits', '#behind last', 'last consumed stored'],
    rows,
  );
}

const spanOrDash = (span: number | undefined) => (span === undefined ? '-' : spanText(span));

function lagJson({ address: _address, queueId, lastStored, lastConsumed, ...lag }: QueueLag): object {
  const time = (ms: number) => (ms <= 0 ? null : new Date(ms).toISOString());
  return { ...lag, queue: queueId, lastStored: time(lastStored), lastConsumed: time(lastConsumed) };
}

interface ResetFlags {
  to: string;
  queue?: string;
  yes?: boolean;
  dryRun?: boolean;
}

interface PlannedReset extends ResetStep {
  standing: Standing;
}

function addReset(offset: Command): void {
  const command = offset
    .command('reset')
    .description('let a group go on somewhere else; shows first what that skips or repeats')
    .argument('<group>')
    .argument('<topic>')
    .requiredOption(
      '--to <place>',
      'earliest, latest, an offset, +N or -N messages, or a time ("2026-01-31 18:30", 10m ago)',
    )
    .option('--queue <number>', 'only this queue (of each broker)')
    .option('--dry-run', 'only show what would be done')
    .option('--yes', 'do not ask');
  online<ResetFlags>(command, async (servers, [group = '', topic = ''], flags) => {
    const target = resetTargetOf(flags.to);
    const only = flags.queue === undefined ? undefined : numberOf('queue', flags.queue, 0, 1e9);
    const plan = await planReset(servers, group, topic, target, only);
    const { dryRun = false, yes, json = false } = flags;
    if (!json) await print(planTable(plan));
    if (!dryRun) {
      await confirm(await sentenceOf(servers, group, topic, plan), yes);
      for (const step of plan) await applyReset(servers, group, step);
    }
    if (json) return printJson({ group, topic, done: !dryRun, queues: plan.map(planJson) });
    await print(dryRun ? '\nNothing was done (--dry-run).' : `\nReset ${group} in ${topic}.`);
  });
  examples(
    command,
    'offset reset billing orders --to earliest',
    'offset reset billing orders --to "2026-01-31 18:30" --dry-run',
    'offset reset billing orders --to -100 --queue 3 --yes',
  );
}

async function planReset(
  servers: Servers,
  group: string,
  topic: string,
  target: ResetTarget,
  only: number | undefined,
): Promise<PlannedReset[]> {
  const parts = await requireRoute(servers, topic);
  await requireGroup(servers, group);
  const all = await standingsForReset(servers, group, topic, parts);
  const standings = all.filter(({ queueId }) => only === undefined || queueId === only);
  if (standings.length === 0)
    throw new UserError(
      `--queue ${only} is not possible: ${topic} has ${counted(all.length, 'queue')}, from 0.`,
    );
  return eachOf(standings, 'queues', async (standing) => {
    const from = nextOffset(standing);
    return { standing, ...resetStep(from, await offsetOf(servers, standing, from, target), standing) };
  });
}

/** A broker need not tell of a topic in which the group has committed nothing: its queues are asked one by one. */
async function standingsForReset(
  servers: Servers,
  group: string,
  topic: string,
  parts: Awaited<ReturnType<typeof requireRoute>>,
): Promise<Standing[]> {
  const known = await standingsOf(servers, group, topic);
  return eachOf(readableQueues(topic, parts), 'queues', async (queue) => {
    const told = known.find(({ broker, queueId }) => broker === queue.broker && queueId === queue.queueId);
    if (told !== undefined) return told;
    const committed = await committedOffset(servers, queue.address, group, queue);
    return { ...queue, committed, ...(await endsOf(servers, queue)), lastStored: 0, lastConsumed: 0 };
  });
}

async function offsetOf(
  servers: Servers,
  standing: Standing,
  from: number,
  target: ResetTarget,
): Promise<number> {
  switch (target.kind) {
    case 'earliest':
      return standing.min;
    case 'latest':
      return standing.max;
    case 'offset':
      return target.offset;
    case 'by':
      return from + target.amount;
    case 'time':
      return offsetAt(servers, standing, target.time, standing);
  }
}

function planTable(plan: readonly PlannedReset[]): string {
  const several = new Set(plan.map(({ standing }) => standing.broker)).size > 1;
  const rows = plan.map(({ standing: { broker, queueId, min, max }, from, to, skipped, repeated }) => [
    several ? `${broker}/${queueId}` : queueId,
    `${min}-${max}`,
    from,
    to,
    skipped > 0
      ? `skips ${counted(skipped, 'message')}`
      : repeated > 0
        ? `repeats ${counted(repeated, 'message')}`
        : 'stays',
  ]);
  return table(['queue', 'holds', '#from', '#to', 'what'], rows);
}

function planJson({ standing, from, to, skipped, repeated }: PlannedReset): object {
  return { broker: standing.broker, queue: standing.queueId, from, to, skipped, repeated };
}

async function sentenceOf(
  servers: Servers,
  group: string,
  topic: string,
  plan: readonly PlannedReset[],
): Promise<string> {
  const sum = (of: (step: PlannedReset) => number) => plan.reduce((total, step) => total + of(step), 0);
  const skipped = counted(
    sum((step) => step.skipped),
    'message',
  );
  const repeated = counted(
    sum((step) => step.repeated),
    'message',
  );
  const members = await allMembersOf(servers, group);
  const online =
    members.length === 0
      ? ''
      : ` Its ${counted(members.length, 'member')} online go on there with their next pulls.`;
  return `Group ${group} is going to skip ${skipped} and to get ${repeated} of ${topic} again.${online}`;
}

/** Takes effect with the next pull of a consumer that is online, at once for a group that is not. */
async function applyReset(servers: Servers, group: string, { standing, to }: PlannedReset): Promise<void> {
  const { address, topic, queueId } = standing;
  const answer = await servers.ask(address, {
    code: RequestCode.INVOKE_BROKER_TO_RESET_OFFSET,
    // Where no offset is taken the time is: it names the end.
    fields: { group, topic, queueId, offset: to, timestamp: -1, isForce: true },
    to: `reset queue ${queueId} of ${topic} for ${group}`,
    accept: [ResponseCode.CONSUMER_NOT_ONLINE, ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST],
  });
  if (answer.code === ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST) {
    await copyGroupTo(servers, group, address);
    note(`Made group ${group} on ${standing.broker}, which did not know it yet.`);
  }
  if (answer.code !== ResponseCode.SUCCESS) await commit(servers, group, standing, to);
  const reached = await committedOffset(servers, address, group, standing);
  if (reached !== to)
    note(
      `Queue ${queueId} of ${standing.broker} stands at ${reached ?? 'nothing'}, not ${to}: a member of the group has committed meanwhile.`,
    );
}

export async function commit(
  servers: Servers,
  group: string,
  place: Standing | Omit<Standing, 'min'>,
  offset: number,
): Promise<void> {
  const { address, topic, queueId } = place;
  await servers.ask(address, {
    code: RequestCode.UPDATE_CONSUMER_OFFSET,
    fields: { consumerGroup: group, topic, queueId, commitOffset: offset },
    to: `commit an offset of ${group}`,
  });
}

/** Lets each group of a topic go on at its end; returns the groups with what they skip. */
export async function skipAll(
  servers: Servers,
  topic: string,
  groups: readonly string[],
): Promise<Map<string, number>> {
  const skipped = new Map<string, number>();
  for (const group of groups) {
    const plan = await planReset(servers, group, topic, { kind: 'latest' }, undefined);
    for (const step of plan) await applyReset(servers, group, step);
    skipped.set(
      group,
      plan.reduce((sum, step) => sum + step.skipped, 0),
    );
  }
  return skipped;
}
