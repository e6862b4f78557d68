/** RocketMQ's families of the broker itself: what it holds, and who is connected. */
import type { ClientInfo } from '../../clients/producers.ts';
import { isSystemGroup } from '../../lib/names.ts';
import { versionName } from '../../protocol/version-name.ts';
import type { Labels } from '../../remoting/exposition.ts';
import type { Scrape } from './context.ts';

const MODES: Readonly<Record<string, string>> = {
  CONSUME_ACTIVELY: 'pull',
  CONSUME_PASSIVELY: 'push',
  CONSUME_POP: 'pop',
};

export async function brokerFamilies(scrape: Scrape): Promise<void> {
  const { parts, out } = scrape;
  const { topics, groups, settings } = parts.tables;
  out.gauge('rocketmq_broker_permission', 'Bits: 4 read, 2 write').add(settings.brokerPermission);
  out.gauge('rocketmq_topic_number', 'Topics').add(topics.size);
  out.gauge('rocketmq_consumer_group_number', 'Consumer groups').add(groups.size);
  await producers(scrape);
  await consumers(scrape);
}

async function producers({ parts, out, slices }: Scrape): Promise<void> {
  const counts = new Tally();
  for (const group of parts.tables.clients.producers.names()) {
    for (const member of parts.tables.clients.producers.members(group) ?? []) counts.count(kindOf(member));
    if (slices.over) await slices.pause();
  }
  counts.write(out.gauge('rocketmq_producer_connections', 'Producers, each once for each of its groups'));
}

async function consumers({ parts, out, slices }: Scrape): Promise<void> {
  const family = out.gauge('rocketmq_consumer_connections', 'Consumers');
  for (const name of parts.tables.clients.consumers.names()) {
    const group = parts.tables.clients.consumers.get(name);
    if (group === undefined) continue;
    const counts = new Tally();
    for (const member of group.members())
      counts.count({
        consumer_group: name,
        ...kindOf(member),
        consume_mode: MODES[group.consumeType] ?? group.consumeType.toLowerCase(),
        is_system: isSystemGroup(name),
      });
    counts.write(family);
    if (slices.over) await slices.pause();
  }
}

function kindOf({ language, version }: ClientInfo): Labels {
  return { language: language.toLowerCase(), version: versionName(version), protocol_type: 'remoting' };
}

class Tally {
  readonly #counts = new Map<string, { labels: Labels; count: number }>();

  count(labels: Labels): void {
    const key = Object.values(labels).join('\n');
    const counted = this.#counts.get(key) ?? { labels, count: 0 };
    counted.count += 1;
    this.#counts.set(key, counted);
  }

  write(family: { add(value: number, labels: Labels): void }): void {
    for (const { labels, count } of this.#counts.values()) family.add(count, labels);
  }
}
