/**
 * One name server as the broker sees it. One registration is on its way at a time, so that they arrive in the order
 * of their data versions; what changes meanwhile goes with the next one.
 */
import { crc32 } from 'node:zlib';
import type { Clock } from '../lib/clock.ts';
import type { ControlLog } from '../lib/log.ts';
import { RequestCode, ResponseCode, responseName } from '../protocol/codes.ts';
import { type RemotingCommand, requestCommand } from '../protocol/command.ts';
import { integerFrom } from '../protocol/json-fields.ts';
import { parseRocketJson, type RocketJson, writeRocketJson } from '../protocol/rocketmq-json.ts';
import type { ClientTls } from '../tls/settings.ts';
import { CommandClient } from './command-client.ts';
import { NameServerNews, reasonOf } from './name-server-news.ts';

export interface BrokerIdentity {
  clusterName: string;
  brokerName: string;
  /** 0 = master. */
  brokerId: number;
  /** `ip:port` that clients dial. */
  brokerAddr: string;
  /** `ip:port` that slaves dial. */
  haServerAddr: string;
  /** Whether a slave may act for a master that is away: then name servers hear every second that this one lives. */
  enableActingMaster: boolean;
}

/** All parts are written as RocketMQ's JSON: TopicConfig and mappings by name, `{counter, stateVersion, timestamp}`. */
export interface TopicSnapshot {
  topicConfigTable: unknown;
  /** Of static topics. */
  topicQueueMappingInfoMap: unknown;
  dataVersion: unknown;
}

export interface NameServerLinkOptions {
  address: string;
  broker: BrokerIdentity;
  topics(names?: ReadonlySet<string>): TopicSnapshot;
  onOrderTopicConfig(table: ReadonlyMap<string, string>): void;
  /** Where the master of this name is, for slaves and for clients, each time it is told; '' = nowhere. */
  onMaster(haServerAddr: string, masterAddr: string): void;
  /** The brokers that are registered under this name, in whatever cluster: addresses by id, each time they are told. */
  onMembers(members: ReadonlyMap<number, string>): void;
  /** The connection to a name server that knew the broker is gone, and with it the registration. */
  onForgotten(): void;
  /** Asked at each dial; undefined: plain text. */
  tls(): ClientTls | undefined;
  clock: Clock;
  log: ControlLog;
}

const REQUEST_TIMEOUT_MS = 10_000;
const WATCH_TIMEOUT_MS = 3000;
/** A name server that forgets this broker again and again is reminded after so many rounds of watching at most. */
const LONGEST_REST = 32;
const GOODBYE_TIMEOUT_MS = 3000;
/** Where a slave may act for its master, who is silent for so long is forgotten (RocketMQ's default). */
const ACTING_TIMEOUT_MS = 10_000;

/** Past this a full registration costs little more, and repairs whatever went wrong before. */
const MAX_INCREMENTAL_TOPICS = 1000;

export class NameServerLink {
  readonly #options: NameServerLinkOptions;
  readonly #client: CommandClient;
  readonly #news: NameServerNews;
  readonly #changed = new Set<string>();
  /** The name server may know nothing of us: not registered yet, or the connection was lost since. */
  #needsAll = true;
  #registered = false;
  /** Whom the name server leads clients to instead. */
  #rival: string | undefined;
  /** It is older than the question who has a name (before 5.0). */
  #cannotTell = false;
  /** Rounds of watching to let pass before the next reminder, and how many the one after that will be. */
  #rest = 0;
  #nextRest = 1;
  #running: Promise<boolean> | undefined;
  /** It does not know heartbeats of brokers (before 5.0), and forgets nobody for want of them. */
  #needsNoHeartbeats = false;
  #closed = false;

  constructor(options: NameServerLinkOptions) {
    this.#options = options;
    this.#client = new CommandClient({
      address: options.address,
      onDisconnect: () => this.#forgotten(),
      tls: options.tls,
      log: (message, _kind, fault) => {
        if (fault === undefined) options.log.info({ nameServer: options.address }, message);
        else options.log.error({ nameServer: options.address, err: fault }, message);
      },
    });
    this.#news = new NameServerNews({ nameServer: options.address, clock: options.clock, log: options.log });
  }

  /** True when the name server has taken it; failures are logged. */
  registerAll(): Promise<boolean> {
    this.#needsAll = true;
    return this.#run();
  }

  /** As registerAll(), for some topics; all of them when the name server may have missed something before. */
  registerChanged(names: Iterable<string>): Promise<boolean> {
    for (const name of names) this.#changed.add(name);
    return this.#run();
  }

  /**
   * Looks who is in the routes under this broker's name and id: another broker that was given the same name takes the
   * place, and when it goes, name servers other than ours leave it empty. To be called every second. Never rejects.
   */
  async watch(): Promise<void> {
    if (!this.#registered || this.#closed || this.#running !== undefined) return;
    if (this.#options.broker.enableActingMaster) this.#sayAlive();
    if (this.#cannotTell) return;
    const holder = await this.#askHolder().catch(() => undefined);
    if (holder === undefined || !this.#registered || this.#closed || this.#running !== undefined) return;
    if (holder !== '') {
      this.#meet(holder);
      this.#rest = 0;
      this.#nextRest = 1;
    } else if (this.#rest > 0) {
      this.#rest -= 1;
    } else {
      this.#rest = this.#nextRest;
      this.#nextRest = Math.min(this.#nextRest * 2, LONGEST_REST);
      const { address: nameServer } = this.#client;
      this.#options.log.warn({ nameServer }, 'the name server has forgotten this broker: registering again');
      await this.registerAll();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#registered) await this.#sayGoodbye();
    this.#client.close();
  }

  /** A name server drops a broker with its connection. */
  #forgotten(): void {
    const wasKnown = this.#registered;
    this.#needsAll = true;
    this.#registered = false;
    this.#cannotTell = false;
    this.#needsNoHeartbeats = false;
    if (!wasKnown || this.#closed) return;
    this.#news.lost();
    this.#options.onForgotten();
  }

  #run(): Promise<boolean> {
    this.#running ??= this.#registerWhileChanged().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #registerWhileChanged(): Promise<boolean> {
    while (!this.#closed && (this.#needsAll || this.#changed.size > 0)) {
      try {
        await this.#register();
      } catch (error) {
        this.#needsAll = true;
        if (!this.#closed) this.#news.failed(error);
        return false;
      }
    }
    return this.#registered;
  }

  async #register(): Promise<void> {
    if (!this.#registered && !this.#cannotTell) await this.#lookFirst();
    const all = this.#needsAll || this.#changed.size > MAX_INCREMENTAL_TOPICS;
    const snapshot = this.#options.topics(all ? undefined : new Set(this.#changed));
    this.#needsAll = false;
    this.#changed.clear();
    const response = await this.#client.request(this.#registration(snapshot), REQUEST_TIMEOUT_MS);
    if (response.code !== ResponseCode.SUCCESS) {
      throw new Error(`registration refused: ${responseName(response.code)} ${response.remark ?? ''}`);
    }
    this.#registered = true;
    const { clusterName: cluster, brokerName: broker, brokerId, brokerAddr: address } = this.#options.broker;
    this.#news.registered({ cluster, broker, brokerId, address });
    this.#reportOrderTopics(response);
    const { haServerAddr = '', masterAddr = '' } = response.fields;
    this.#options.onMaster(haServerAddr, masterAddr);
  }

  /** Before a first registration, which would take the place of whoever is there. Rejects when nobody answers. */
  async #lookFirst(): Promise<void> {
    try {
      const holder = await this.#askHolder();
      if (holder !== undefined && holder !== '') this.#meet(holder);
    } catch (error) {
      if (!this.#client.connected) throw error;
      // It is there but has no answer to this.
      this.#cannotTell = true;
    }
  }

  /** The address in the routes under our name and id, '' for none, undefined when the name server does not say. */
  async #askHolder(): Promise<string | undefined> {
    const { clusterName, brokerName, brokerId } = this.#options.broker;
    const question = requestCommand(RequestCode.GET_BROKER_MEMBER_GROUP, { clusterName, brokerName });
    const { code, body } = await this.#client.request(question, WATCH_TIMEOUT_MS);
    if (code === ResponseCode.REQUEST_CODE_NOT_SUPPORTED) this.#cannotTell = true;
    if (code !== ResponseCode.SUCCESS || body === undefined) return undefined;
    const group = memberOf(parseRocketJson(Buffer.from(body).toString('utf8')), 'brokerMemberGroup');
    const addresses = group === undefined ? undefined : memberOf(group, 'brokerAddrs');
    if (typeof addresses !== 'object' || addresses === null || Array.isArray(addresses)) return undefined;
    const entries = addresses instanceof Map ? [...addresses] : Object.entries(addresses);
    const members = entries.map(([id, address]) => [integerFrom(id) ?? -1, String(address)] as const);
    this.#options.onMembers(new Map(members.filter(([id]) => id >= 0)));
    const own = entries.find(([id]) => String(id) === String(brokerId));
    return own === undefined ? '' : String(own[1]);
  }

  /** Says once that another broker is in the routes, or that this one is back. */
  #meet(holder: string): void {
    const { brokerName, brokerId, brokerAddr } = this.#options.broker;
    const rival = holder === brokerAddr ? undefined : holder;
    if (rival === this.#rival) return;
    this.#rival = rival;
    const fields = { nameServer: this.#client.address, broker: brokerName, brokerId, address: brokerAddr };
    const { log } = this.#options;
    if (rival === undefined) log.info(fields, 'the name server leads clients to this broker again');
    else {
      log.warn(
        { ...fields, other: rival },
        'the name server leads clients to another broker of this name (other) instead of this one (address): ' +
          `unless the other one has just ended, set another ${brokerId === 0 ? 'brokerName' : 'brokerId'} for one of them`,
      );
    }
  }

  #registration(snapshot: TopicSnapshot): RemotingCommand {
    const topicConfigSerializeWrapper = snapshot;
    const { enableActingMaster } = this.#options.broker;
    const body = Buffer.from(writeRocketJson({ filterServerList: [], topicConfigSerializeWrapper }));
    const fields = {
      ...this.#identityFields(),
      haServerAddr: this.#options.broker.haServerAddr,
      enableActingMaster: String(enableActingMaster),
      ...(enableActingMaster ? { heartbeatTimeoutMillis: String(ACTING_TIMEOUT_MS) } : {}),
      compressed: 'false',
      bodyCrc32: String(crc32(body) & 0x7f_ff_ff_ff),
    };
    return requestCommand(RequestCode.REGISTER_BROKER, fields, body);
  }

  /** Nobody waits for the answer: who does not hear it for a while takes the broker out of the routes. */
  #sayAlive(): void {
    if (this.#needsNoHeartbeats) return;
    const alive = requestCommand(RequestCode.BROKER_HEARTBEAT, {
      ...this.#identityFields(),
      heartbeatTimeoutMills: String(ACTING_TIMEOUT_MS),
    });
    void this.#client.request(alive, WATCH_TIMEOUT_MS).then(
      ({ code }) => {
        if (code === ResponseCode.REQUEST_CODE_NOT_SUPPORTED) this.#needsNoHeartbeats = true;
      },
      () => {},
    );
  }

  #identityFields(): Record<string, string> {
    const { clusterName, brokerName, brokerId, brokerAddr } = this.#options.broker;
    return { clusterName, brokerName, brokerId: String(brokerId), brokerAddr };
  }

  #reportOrderTopics(response: RemotingCommand): void {
    if (response.body === undefined) return;
    const table = tableOf(Buffer.from(response.body).toString('utf8'));
    this.#options.onOrderTopicConfig(new Map(table));
  }

  async #sayGoodbye(): Promise<void> {
    try {
      const goodbye = requestCommand(RequestCode.UNREGISTER_BROKER, this.#identityFields());
      await this.#client.request(goodbye, GOODBYE_TIMEOUT_MS);
    } catch (error) {
      // The name server notices the closed connection as well.
      const fields = { nameServer: this.#client.address, reason: reasonOf(error) };
      this.#options.log.info(fields, 'the name server did not take the goodbye');
    }
  }
}

/** Entries of `{"table":{"key":"value"}}`. */
function tableOf(text: string): [string, string][] {
  const table = memberOf(parseRocketJson(text), 'table');
  if (typeof table !== 'object' || table === null) return [];
  return Object.entries(table).map(([key, value]) => [key, String(value)]);
}

function memberOf(json: RocketJson, name: string): RocketJson | undefined {
  if (typeof json !== 'object' || json === null || Array.isArray(json) || json instanceof Map)
    return undefined;
  return json[name];
}
