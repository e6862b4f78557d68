/**
 * What the slave that acts for a master has done while that was away, taken over by the master when it starts, before
 * it delivers anything: offsets of consumers and of delay levels that are further than its own, and timed messages that
 * were delivered.
 */

import { type ActedTimer, timersIn } from '../../delivery/acting/acted-timers.ts';
import { queueOfLevel } from '../../delivery/delay/levels.ts';
import { MAX_ACTED_TIMERS } from '../../lib/limits.ts';
import type { ControlLog } from '../../lib/log.ts';
import { SCHEDULE_TOPIC } from '../../lib/names.ts';
import { RequestCode, ResponseCode } from '../../protocol/codes.ts';
import { requestCommand } from '../../protocol/command.ts';
import { asObject, entriesOf, integerFrom, parseBody } from '../../protocol/json-fields.ts';
import type { RocketJson } from '../../protocol/rocketmq-json.ts';
import { isAddress } from '../../remoting/address.ts';
import { CommandClient } from '../../remoting/command-client.ts';
import type { ClientTls } from '../../tls/settings.ts';
import { ACTED_PAGE } from './acted-timers.ts';
import { MasterAsks } from './master-asks.ts';
import { DELAYS, type MasterProgressParts } from './master-progress.ts';
import { eachPair, eachQueue } from './offset-exchange.ts';
import { OffsetFeed } from './offset-feed.ts';

const ASK_MS = 1_000;
const MASTER_ID = 0;

export interface TakeBackParts extends Pick<MasterProgressParts, 'tables' | 'queueEnd'> {
  nameServers: readonly string[];
  clusterName: string;
  brokerName: string;
  /** Throws when the disk refuses. */
  keepTimers: (acted: readonly ActedTimer[]) => void;
  tls: () => ClientTls | undefined;
  log: ControlLog;
}

/** Never rejects: without an answer the master goes on from where it was, and some comes twice. */
export async function takeBack(parts: TakeBackParts): Promise<void> {
  const slave = await actingSlave(parts);
  if (slave === undefined) return;
  const asks = new MasterAsks(parts.tls);
  asks.follow(slave);
  try {
    const { tables: offsets } = await new OffsetFeed(asks).whole();
    const delays = await asks.whole(DELAYS);
    for (const table of offsets) takeOffsets(parts, table);
    takeDelays(parts, delays[DELAYS.field]);
    const timers = await actedAt(asks);
    if (timers.length > 0) parts.keepTimers(timers);
    parts.log.info({ slave }, 'taken over from the slave that acted for this master: how far it has come');
  } catch (error) {
    const fields = { slave, reason: (error as Error).message };
    parts.log.warn(
      fields,
      'the slave that acted for this master does not tell how far it has come: some messages may come twice',
    );
  } finally {
    asks.close();
  }
}

/** Timed messages that the slave has delivered; none where RocketMQ acts, which does not tell. */
async function actedAt(asks: MasterAsks): Promise<ActedTimer[]> {
  const all: ActedTimer[] = [];
  for (;;) {
    const fields = { first: String(all.length), count: String(ACTED_PAGE) };
    const part = await asks.ifKnown(RequestCode.GET_ACTED_TIMERS, fields);
    const timers = timersIn(part?.['timers']);
    all.push(...timers);
    if (timers.length < ACTED_PAGE || all.length >= MAX_ACTED_TIMERS) return all;
  }
}

/** Address of the first slave, where no name server has a master: as the slave looks at it (`Acting`). */
async function actingSlave(parts: TakeBackParts): Promise<string | undefined> {
  const told = await Promise.all(parts.nameServers.map((address) => membersAt(address, parts)));
  const [first] = told.flat().sort(([a], [b]) => a - b);
  return first === undefined || first[0] === MASTER_ID ? undefined : first[1];
}

/** Ids and addresses of the brokers of this name; none when the name server does not answer. */
async function membersAt(nameServer: string, { clusterName, brokerName, tls }: TakeBackParts) {
  const client = new CommandClient({ address: nameServer, tls });
  try {
    const question = requestCommand(RequestCode.GET_BROKER_MEMBER_GROUP, { clusterName, brokerName });
    const { code, body } = await client.request(question, ASK_MS);
    if (code !== ResponseCode.SUCCESS) return [];
    const group = asObject(asObject(parseBody(body))?.['brokerMemberGroup']);
    return entriesOf(group?.['brokerAddrs']).flatMap(([name, address]): [id: number, address: string][] => {
      const id = integerFrom(name) ?? -1;
      return id >= MASTER_ID && typeof address === 'string' && isAddress(address) ? [[id, address]] : [];
    });
  } catch {
    return [];
  } finally {
    client.close();
  }
}

function takeOffsets({ tables, queueEnd }: TakeBackParts, table: RocketJson | undefined): void {
  eachPair(table, ({ group, topic }, queues) => {
    eachQueue(queues, (queueId, offset) => {
      const further = Math.min(offset, queueEnd(topic, queueId));
      if (further <= tables.offsets.query(group, topic, queueId)) return;
      tables.offsets.commit(group, topic, queueId, further);
      tables.offsets.hasGoneOn(group, topic, queueId);
    });
  });
}

function takeDelays({ tables, queueEnd }: TakeBackParts, table: RocketJson | undefined): void {
  const { delayOffsets } = tables;
  const own = new Map(delayOffsets.entries());
  delayOffsets.follow(table, (level) => queueEnd(SCHEDULE_TOPIC, queueOfLevel(level)));
  for (const [level, offset] of own) if (offset > delayOffsets.get(level)) delayOffsets.set(level, offset);
}
