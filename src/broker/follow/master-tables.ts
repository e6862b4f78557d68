/**
 * What a slave takes over from its master besides the log: topics (21), groups (201), consumer offsets (43). RocketMQ's
 * slaves ask once a minute; here it is asked every second, at longer intervals only when the answers are large, and at
 * once when the log tells of a queue that nobody knows.
 */
import type { ControlLog } from '../../lib/log.ts';
import { groupConfigText } from '../../metadata/group-config.ts';
import { RequestCode, ResponseCode, responseName } from '../../protocol/codes.ts';
import { type RemotingCommand, requestCommand } from '../../protocol/command.ts';
import { asObject, integerFrom } from '../../protocol/json-fields.ts';
import { parseRocketJson, type RocketJsonObject } from '../../protocol/rocketmq-json.ts';
import { CommandClient } from '../../remoting/command-client.ts';
import type { ClientTls } from '../../tls/settings.ts';
import type { Tables } from '../tables.ts';
import { type Commit, OffsetExchange } from './offset-exchange.ts';

const EVERY_MS = 1_000;
/** After an answer that took so long to get and to take over, the next is asked for so many times as long. */
const REST = 20;
const TIMEOUT_MS = 5_000;
/** Offsets that the master is told in a round. */
const MOST_OFFSETS = 1_000;

export interface MasterTablesParts {
  tables: Pick<Tables, 'topics' | 'groups' | 'offsets'>;
  tls: () => ClientTls | undefined;
  /** Ms of the monotonic clock. */
  now: () => number;
  log: ControlLog;
  /** Where the master's log ended a moment ago. */
  endsAt: (position: number) => void;
  /** Whether the own log holds nothing, so that it is to begin where the master's does. */
  isEmpty: () => boolean;
  beginsAt: (position: number) => void;
  /** Sends what was said in this turn to the network threads. */
  endOfTurn: () => void;
}

export class MasterTables {
  readonly #parts: MasterTablesParts;
  readonly #offsets: OffsetExchange;
  #client: CommandClient | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isRunning = false;
  /** Asked for while it was under way. */
  #isWanted = false;
  #isClosed = false;
  #isFailing = false;
  /** Of which offset it was told last that the master refused it. */
  #refused = '';

  constructor(parts: MasterTablesParts) {
    this.#parts = parts;
    this.#offsets = new OffsetExchange(parts.tables.offsets);
  }

  /** `host:port` of the master as clients know it. */
  follow(address: string): void {
    if (this.#isClosed || address === this.#client?.address) return;
    this.#client?.close();
    this.#client = new CommandClient({ address, tls: this.#parts.tls });
    this.now();
  }

  /** Asks now, or again when that is under way. */
  now(): void {
    clearTimeout(this.#timer);
    this.#isWanted = this.#isRunning;
    if (this.#client === undefined || this.#isClosed || this.#isRunning) return;
    this.#isRunning = true;
    void this.#round();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#client?.close();
  }

  async #round(): Promise<void> {
    const { now, log, endOfTurn } = this.#parts;
    const began = now();
    try {
      await this.#takeOver();
      if (this.#isFailing) log.info({}, 'topics, groups and offsets of the master are taken over again');
      this.#isFailing = false;
    } catch (error) {
      const fields = { master: this.#client?.address, reason: (error as Error).message };
      if (!this.#isFailing && !this.#isClosed)
        log.warn(fields, 'topics, groups and offsets of the master cannot be taken over now, tried again');
      this.#isFailing = true;
    }
    endOfTurn();
    this.#isRunning = false;
    if (this.#isClosed) return;
    // A master that did not answer took its time, not this broker's.
    const rest = this.#isFailing ? EVERY_MS : Math.max(EVERY_MS, (now() - began) * REST);
    this.#timer = setTimeout(() => this.now(), this.#isWanted ? 0 : rest).unref();
  }

  async #takeOver(): Promise<void> {
    const { topics, groups } = this.#parts.tables;
    const status = await this.#ask(RequestCode.GET_BROKER_HA_STATUS, 'state', 'haClientRuntimeInfo');
    const end = integerFrom(status['masterCommitLogMaxOffset']);
    if (end !== undefined && end >= 0) this.#parts.endsAt(end);
    if (this.#parts.isEmpty()) await this.#askBeginning();
    const topicTable = await this.#ask(RequestCode.GET_ALL_TOPIC_CONFIG, 'topics', 'topicConfigTable');
    topics.follow(topicTable['topicConfigTable'], topicTable['dataVersion']);
    // Before the groups, of which those would go that the master has not heard of.
    await this.#exchangeOffsets();
    const groupTable = await this.#ask(
      RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG,
      'groups',
      'subscriptionGroupTable',
    );
    groups.follow(groupTable['subscriptionGroupTable'], groupTable['dataVersion']);
  }

  async #askBeginning(): Promise<void> {
    const info = await this.#ask(RequestCode.GET_BROKER_RUNTIME_INFO, 'runtime info', 'table');
    const start = integerFrom(asObject(info['table'])?.['commitLogMinOffset'] ?? null);
    if (start !== undefined && start >= 0) this.#parts.beginsAt(start);
  }

  /** Offsets that were committed here while the master was gone reach it with the first round. */
  async #exchangeOffsets(): Promise<void> {
    const table = await this.#ask(RequestCode.GET_ALL_CONSUMER_OFFSET, 'consumer offsets', 'offsetTable');
    for (const commit of this.#offsets.take(table['offsetTable']).slice(0, MOST_OFFSETS)) {
      let refusal = await this.#tell(commit);
      if (
        refusal?.code === ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST &&
        (await this.#tellGroup(commit.group))
      )
        refusal = await this.#tell(commit);
      if (refusal === undefined) this.#offsets.told(commit);
      else this.#refusedOffset(commit, `${responseName(refusal.code)} ${refusal.remark ?? ''}`);
    }
  }

  /** Commits it at the master; the master's answer when it refuses. */
  async #tell({ group, topic, queueId, offset }: Commit): Promise<RemotingCommand | undefined> {
    const where = { consumerGroup: group, topic, queueId: String(queueId), commitOffset: String(offset) };
    const request = requestCommand(RequestCode.UPDATE_CONSUMER_OFFSET, where);
    const answer = await this.#request(request);
    return answer.code === ResponseCode.SUCCESS ? undefined : answer;
  }

  /** A group whose first consumer came while the master was gone. */
  async #tellGroup(name: string): Promise<boolean> {
    const config = this.#parts.tables.groups.get(name);
    if (config === undefined) return false;
    const body = Buffer.from(groupConfigText(config).text(false));
    const request = requestCommand(RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP, {}, body);
    const { code } = await this.#request(request);
    return code === ResponseCode.SUCCESS;
  }

  /** It is tried again with the next round. */
  #refusedOffset(commit: Commit, reason: string): void {
    const name = `${commit.topic} ${commit.group}`;
    if (this.#refused === name) return;
    this.#refused = name;
    const line = 'the master does not take an offset that was committed at this slave, tried again';
    this.#parts.log.warn({ ...commit, reason }, line);
  }

  /** An answer without its table is none: it must not delete what is there. */
  async #ask(code: number, what: string, field: string): Promise<RocketJsonObject> {
    const response = await this.#request(requestCommand(code, {}));
    if (response.code !== ResponseCode.SUCCESS)
      throw new Error(
        `the master does not tell its ${what}: ${responseName(response.code)} ${response.remark ?? ''}`,
      );
    const table = asObject(parseRocketJson(Buffer.from(response.body ?? []).toString('utf8')));
    if (asObject(table?.[field]) === undefined) throw new Error(`the master's ${what} are no table`);
    return table as RocketJsonObject;
  }

  #request(request: RemotingCommand): Promise<RemotingCommand> {
    return (this.#client as CommandClient).request(request, TIMEOUT_MS);
  }
}
