/** Turns changes of control's tables into deltas for the network threads. */

import { isTagType, type Subscription } from '../../clients/subscription.ts';
import type { DelayLevels } from '../../delivery/delay/levels.ts';
import { waitingRules } from '../../delivery/waiting-form.ts';
import type { GroupConfig } from '../../metadata/group-config.ts';
import { liteGroupOf } from '../../metadata/lite-group.ts';
import type { ReplicationStatus } from '../../replication/status.ts';
import type { Tables } from '../tables.ts';
import type { Delta, GroupDelta, SettingsDelta } from './deltas.ts';

export class Announcer {
  readonly #tables: Tables;
  readonly #levels: DelayLevels;
  readonly #publish: (delta: Delta) => void;
  readonly #groupIds = new Map<string, number>();
  readonly #groupNames: string[] = [];
  #settings = '';
  #acts = false;
  #writable = true;
  #notWritableRemark = '';
  /** Of the brokers of the same name: a slave that keeps up, of a slave its master. */
  #slaveIsNear = false;
  #masterIsThere = false;

  constructor(tables: Tables, levels: DelayLevels, publish: (delta: Delta) => void) {
    this.#tables = tables;
    this.#levels = levels;
    this.#publish = publish;
    tables.groups.changed.add((config) => this.#group(config));
    tables.groups.deleted.add((name) => publish({ kind: 'groupDeleted', name }));
    tables.groups.forbiddenChanged.add(({ group, topic }) => {
      publish({ kind: 'forbidden', group, topic, forbidden: !tables.groups.mayRead(group, topic) });
    });
    tables.coldReads.changed.add(() => this.settings(this.#writable, this.#notWritableRemark));
    tables.clients.consumers.changed.add((group) => this.#consumers(group));
    tables.offsets.resetChanged.add((reset) => publish({ kind: 'reset', ...reset }));
  }

  /** Name of the group that progress records call `id`. */
  groupName(id: number): string | undefined {
    return this.#groupNames[id];
  }

  /** Why no messages are taken; undefined while they are. */
  get refusal(): string | undefined {
    return this.#writable ? undefined : this.#notWritableRemark;
  }

  /** Tells the network threads whether messages are taken; says nothing when nothing has changed. */
  settings(writable: boolean, notWritableRemark: string): void {
    this.#writable = writable;
    this.#notWritableRemark = notWritableRemark;
    const { settings } = this.#tables;
    const { brokerPermission, enablePropertyFilter, dataReadAheadEnable: readAhead, traceOn } = settings;
    const waiting = waitingRules(settings, this.#levels);
    const coldReads = this.#tables.coldReads.refusals;
    const { slaveReadEnable: slavesRead, accessMessageInMemoryMaxRatio: inMemoryPercent } = settings;
    const readElsewhere = settings.brokerId > 0 && !slavesRead;
    const elsewhere = { slavesRead, slaveIsNear: this.#slaveIsNear, masterIsThere: this.#masterIsThere };
    const told = {
      ...{ brokerPermission, coldReads, enablePropertyFilter, readAhead, readElsewhere, traceOn },
      ...{ waiting, writable, inMemoryPercent, elsewhere, acts: this.#acts },
    };
    const delta: SettingsDelta = { kind: 'settings', ...told, notWritableRemark };
    const text = JSON.stringify(told);
    if (text === this.#settings) return;
    this.#settings = text;
    this.#publish(delta);
  }

  /** Tells them whether this slave acts for its master, as `settings` does. */
  acts(acts: boolean): void {
    this.#acts = acts;
    this.settings(this.#writable, this.#notWritableRemark);
  }

  /** Tells them of the other brokers of this name, as `settings` does. */
  replication(status: ReplicationStatus): void {
    const isSlave = 'master' in status;
    this.#masterIsThere = isSlave && status.master.isConnected;
    this.#slaveIsNear = isSlave || status.slaves.some(({ inSync }) => inSync);
    this.settings(this.#writable, this.#notWritableRemark);
  }

  #group(config: GroupConfig): void {
    const { groups } = this.#tables;
    const delta: GroupDelta = {
      kind: 'group',
      name: config.groupName,
      id: this.#idOf(config.groupName),
      consumeEnable: config.consumeEnable,
      consumeBroadcastEnable: config.consumeBroadcastEnable,
      brokerId: config.brokerId,
      whichBrokerWhenConsumeSlowly: config.whichBrokerWhenConsumeSlowly,
      lite: liteGroupOf(config.attributes),
      forbidden: groups.forbiddenTopics(config.groupName),
    };
    this.#publish(delta);
    this.#consumers(config.groupName);
  }

  #consumers(group: string): void {
    const online = this.#tables.clients.consumers.get(group);
    if (online === undefined) {
      this.#publish({ kind: 'consumers', group, messageModel: undefined, subscriptions: [] });
      return;
    }
    this.#publish({
      kind: 'consumers',
      group,
      messageModel: online.messageModel === 'BROADCASTING' ? 'BROADCASTING' : 'CLUSTERING',
      subscriptions: [...online.subscriptions.values()].map((subscription) => ({
        topic: subscription.topic,
        subVersion: Number(subscription.subVersion),
        ...wantedBy(subscription),
      })),
    });
  }

  #idOf(group: string): number {
    let id = this.#groupIds.get(group);
    if (id === undefined) {
      id = this.#groupNames.length;
      this.#groupIds.set(group, id);
      this.#groupNames.push(group);
    }
    return id;
  }
}

function wantedBy({ expressionType, subString, codeSet }: Subscription) {
  if (!isTagType(expressionType)) return { expressionType, expression: subString, codes: undefined };
  return { expressionType: 'TAG', codes: codeSet.length === 0 ? undefined : [...codeSet] };
}
