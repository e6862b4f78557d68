/**
 * The broker's diary: topics and groups that are made, changed and deleted, and by whom; groups of clients that come
 * and go. The log that it is given bounds the lines, as clients cause them.
 */
import type { GroupPresence } from '../clients/producers.ts';
import type { ControlLog } from '../lib/log.ts';
import type { Asker, ConfigNews } from '../metadata/config-table.ts';
import type { GroupConfig } from '../metadata/group-config.ts';
import type { TopicConfig } from '../metadata/topic-config.ts';
import type { Tables } from './tables.ts';

/** What nobody asked for. */
const BROKER_ITSELF = { request: 'none, the broker itself' };

/** Keeps it from now on. */
export function keepJournal(tables: Pick<Tables, 'topics' | 'groups' | 'clients'>, log: ControlLog): void {
  tables.topics.news.add((news) => log.info(topicFields(news), `topic ${news.what}`));
  tables.groups.news.add((news) => log.info(groupFields(news), `group ${news.what}`));
  const { producers, consumers } = tables.clients;
  producers.presence.add((presence) => notePresence(log, 'producer', presence));
  consumers.presence.add((presence) => notePresence(log, 'consumer', presence));
}

function topicFields({ what, config, by }: ConfigNews<TopicConfig>): object {
  const { topicName: topic, readQueueNums: readQueues, writeQueueNums: writeQueues, perm, order } = config;
  const details = what === 'deleted' ? {} : { readQueues, writeQueues, perm, order };
  return { topic, ...details, ...asked(by) };
}

function groupFields({ what, config, by }: ConfigNews<GroupConfig>): object {
  const { groupName: group, consumeEnable, retryQueueNums: retryQueues, retryMaxTimes } = config;
  const details = what === 'deleted' ? {} : { consumeEnable, retryQueues, retryMaxTimes };
  return { group, ...details, ...asked(by) };
}

function asked(by: Asker | undefined): object {
  return by ?? BROKER_ITSELF;
}

function notePresence(log: ControlLog, kind: string, { group, online, client }: GroupPresence): void {
  const { clientId, language, connection } = client;
  const who = { group, clientId, client: connection.remoteAddress, language };
  if (online) log.info(who, `${kind} group online: its first client is here`);
  else log.info(who, `${kind} group offline: its last client has gone`);
}
