/**
 * What a slave takes over from its master besides the log: topics (21), groups (201), request modes (402), and how far
 * consumers and what becomes due have come (`master-progress.ts`). RocketMQ's slaves ask once a minute; here it is
 * asked every second, at longer intervals only when the answers are large, and at once when the log tells of a queue
 * that nobody knows.
 */
import type { ControlLog } from '../../lib/log.ts';
import { groupConfigText } from '../../metadata/group-config.ts';
import { RequestCode, ResponseCode, responseName } from '../../protocol/codes.ts';
import { type RemotingCommand, requestCommand } from '../../protocol/command.ts';
import { asObject, integerFrom } from '../../protocol/json-fields.ts';
import type { RocketJson } from '../../protocol/rocketmq-json.ts';
import type { ClientTls } from '../../tls/settings.ts';
import type { Tables } from '../tables.ts';
import { MasterAsks, type MasterTable } from './master-asks.ts';
import { MasterProgress, type MasterProgressParts } from './master-progress.ts';
import type { Commit } from './offset-exchange.ts';

const EVERY_MS = 1_000;
/**
 * It rests a ms longer for each so many bytes of answers: 20 MB, which 100,000 topics take, are 2 s. Not for the time
 * that a round took: a machine that stands still for a second or two is no reason to know nothing of the master for
 * twenty times as long.
 */
const BYTES_PER_MS = 10_000;
/** Offsets that the master is told in a round. */
const MOST_OFFSETS = 1_000;

const TOPICS: MasterTable = {
  code: RequestCode.GET_ALL_TOPIC_CONFIG,
  what: 'topics',
  field: 'topicConfigTable',
  pages: { first: 'topicSeq', count: 'maxTopicNum', total: 'totalTopicNum' },
};
const GROUPS: MasterTable = {
  code: RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG,
  what: 'groups',
  field: 'subscriptionGroupTable',
  pages: { first: 'groupSeq', count: 'maxGroupNum', total: 'totalGroupNum' },
};
const MODES: MasterTable = {
  code: RequestCode.GET_ALL_MESSAGE_REQUEST_MODE,
  what: 'request modes',
  field: 'messageRequestModeMap',
};
const RUNTIME: MasterTable = {
  code: RequestCode.GET_BROKER_RUNTIME_INFO,
  what: 'runtime info',
  field: 'table',
};

export interface MasterTablesParts extends Omit<MasterProgressParts, 'tables'> {
  tables: Pick<Tables, 'topics' | 'groups' | 'offsets' | 'delayOffsets' | 'requestModes'>;
  tls: () => ClientTls | undefined;
  log: ControlLog;
  /** Where the master's log ended a moment ago. */
  endsAt: (position: number) => void;
  /** Where the own log ends. */
  end: () => number;
  /** Whether the own log holds nothing, so that it is to begin where the master's does. */
  isEmpty: () => boolean;
  beginsAt: (position: number) => void;
  /** Sends what was said in this turn to the network threads. */
  endOfTurn: () => void;
}

export class MasterTables {
  readonly #parts: MasterTablesParts;
  readonly #asks: MasterAsks;
  readonly #progress: MasterProgress;
  #timer: NodeJS.Timeout | undefined;
  #isRunning = false;
  /** Asked for while it was under way. */
  #isWanted = false;
  #isClosed = false;
  #isFailing = false;
  /** How long it rests after the last round, ms. */
  rest = EVERY_MS;
  /** The master has refused an offset in the last round. */
  #isRefusing = false;

  constructor(parts: MasterTablesParts) {
    this.#parts = parts;
    this.#asks = new MasterAsks(parts.tls);
    this.#progress = new MasterProgress(parts, this.#asks);
  }

  /** `host:port` of the master as clients know it. */
  follow(address: string): void {
    if (this.#isClosed || !this.#asks.follow(address)) return;
    this.#progress.forget();
    this.now();
  }

  /** Asks now, or again when that is under way. */
  now(): void {
    clearTimeout(this.#timer);
    this.#isWanted = this.#isRunning;
    if (this.#asks.address === undefined || this.#isClosed || this.#isRunning) return;
    this.#isRunning = true;
    void this.#round();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#asks.close();
  }

  async #round(): Promise<void> {
    const { log, endOfTurn } = this.#parts;
    try {
      await this.#takeOver();
      if (this.#isFailing) log.info({}, 'topics, groups and offsets of the master are taken over again');
      this.#isFailing = false;
    } catch (error) {
      const fields = { master: this.#asks.address, reason: (error as Error).message };
      if (!this.#isFailing && !this.#isClosed)
        log.warn(fields, 'topics, groups and offsets of the master cannot be taken over now, tried again');
      this.#isFailing = true;
      this.#asks.forget();
      this.#progress.forget();
    }
    endOfTurn();
    this.#isRunning = false;
    if (this.#isClosed) return;
    this.rest = EVERY_MS + Math.floor(this.#asks.takeBytes() / BYTES_PER_MS);
    this.#timer = setTimeout(() => this.now(), this.#isWanted ? 0 : this.rest).unref();
  }

  async #takeOver(): Promise<void> {
    const { topics, groups, requestModes } = this.#parts.tables;
    const ownEnd = this.#parts.end();
    const end = await this.#asks.end();
    if (end !== undefined) this.#parts.endsAt(end);
    if (this.#parts.isEmpty()) await this.#askBeginning();
    await this.#take(TOPICS, (table, version) => topics.follow(table, version));
    // Before the groups, of which those would go that the master has not heard of.
    const commits = (await this.#progress.round()).slice(0, MOST_OFFSETS);
    await this.#tellOffsets(commits, end !== undefined && end < ownEnd);
    await this.#take(GROUPS, (table, version) => groups.follow(table, version));
    await this.#take(MODES, (table) => requestModes.follow(table));
  }

  async #take(
    table: MasterTable,
    follow: (table: RocketJson | undefined, version: RocketJson | undefined) => void,
  ): Promise<void> {
    const news = await this.#asks.news(table);
    if (news === undefined) return;
    follow(news.table[table.field], news.table['dataVersion']);
    news.took();
  }

  async #askBeginning(): Promise<void> {
    const info = await this.#asks.whole(RUNTIME);
    const start = integerFrom(asObject(info['table'])?.['commitLogMinOffset'] ?? null);
    if (start !== undefined && start >= 0) this.#parts.beginsAt(start);
  }

  /**
   * Offsets that were committed here while the master was gone reach it with the first round. `lacks`: the master has
   * lost the end of its log, and may lack messages that were consumed here. An offset beyond its queue would pass over
   * what comes in their place.
   */
  async #tellOffsets(commits: readonly Commit[], lacks: boolean): Promise<void> {
    let isRefusing = false;
    for (const commit of commits) {
      const last = lacks ? await this.#queueEnd(commit) : commit.offset;
      const refusal = await this.#tellOffset({ ...commit, offset: Math.min(commit.offset, last) });
      if (refusal === undefined) this.#progress.told(commit);
      else {
        this.#progress.refused(commit);
        if (!this.#isRefusing && !isRefusing) this.#tellRefused(commit, refusal);
        isRefusing = true;
      }
    }
    this.#isRefusing = isRefusing;
  }

  /** The master's answer when it refuses. */
  async #tellOffset(commit: Commit): Promise<RemotingCommand | undefined> {
    const refusal = await this.#tell(commit);
    const isNewGroup = refusal?.code === ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST;
    return isNewGroup && (await this.#tellGroup(commit.group)) ? this.#tell(commit) : refusal;
  }

  /** Where a queue ends at the master. */
  async #queueEnd({ topic, queueId }: Commit): Promise<number> {
    const queue = { topic, queueId: String(queueId) };
    const { fields } = await this.#asks.request(requestCommand(RequestCode.GET_MAX_OFFSET, queue));
    const end = integerFrom(fields['offset']);
    if (end === undefined || end < 0) throw new Error(`the master does not tell where ${topic} ends`);
    return end;
  }

  /** Commits it at the master; the master's answer when it refuses. */
  async #tell({ group, topic, queueId, offset }: Commit): Promise<RemotingCommand | undefined> {
    const where = { consumerGroup: group, topic, queueId: String(queueId), commitOffset: String(offset) };
    const request = requestCommand(RequestCode.UPDATE_CONSUMER_OFFSET, where);
    const answer = await this.#asks.request(request);
    return answer.code === ResponseCode.SUCCESS ? undefined : answer;
  }

  /** A group whose first consumer came while the master was gone. */
  async #tellGroup(name: string): Promise<boolean> {
    const config = this.#parts.tables.groups.get(name);
    if (config === undefined) return false;
    const body = Buffer.from(groupConfigText(config).text(false));
    const request = requestCommand(RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP, {}, body);
    const { code } = await this.#asks.request(request);
    return code === ResponseCode.SUCCESS;
  }

  /** It is tried again with the next round; told once, however many there are. */
  #tellRefused(commit: Commit, { code, remark }: RemotingCommand): void {
    const reason = `${responseName(code)} ${remark ?? ''}`;
    const line = 'the master does not take an offset that was committed at this slave, tried again';
    this.#parts.log.warn({ ...commit, reason }, line);
  }
}
