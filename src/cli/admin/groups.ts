/** Groups of consumers as brokers keep them, and who is in them. */
import { DLQ_PREFIX, RETRY_PREFIX } from '../../lib/names.ts';
import { RequestCode, ResponseCode } from '../../protocol/codes.ts';
import { asArray, asObject, entriesOf, integerOr, textOr } from '../../protocol/json-fields.ts';
import { type RocketJson, type RocketJsonObject, writeRocketJson } from '../../protocol/rocketmq-json.ts';
import { Failure } from './failure.ts';
import { nearestOf } from './routes.ts';
import { type BrokerAt, objectOf, type Servers } from './servers.ts';

/** Groups that brokers and tools have for themselves. */
export const OWN_GROUPS: ReadonlySet<string> = new Set([
  'TOOLS_CONSUMER',
  'FILTERSRV_CONSUMER',
  'SELF_TEST_C_GROUP',
  'CID_ONS-HTTP-PROXY',
  'CID_ONSAPI_PERMISSION',
  'CID_ONSAPI_OWNER',
  'CID_ONSAPI_PULL',
]);

export interface GroupConfig {
  name: string;
  mayConsume: boolean;
  isOrderly: boolean;
  /** How often a message is given again before it is a dead letter. */
  retries: number;
  /** As the broker has it; what is not known here is kept in a change. */
  raw: RocketJsonObject;
}

export async function allGroupConfigs(servers: Servers, broker: BrokerAt): Promise<GroupConfig[]> {
  const { body } = await servers.ask(broker.address, {
    code: RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG,
    to: 'list groups',
  });
  return entriesOf(objectOf(body)['subscriptionGroupTable']).map(([name, value]) => groupFrom(name, value));
}

function groupFrom(name: string, value: RocketJson): GroupConfig {
  const raw = asObject(value) ?? {};
  return {
    name,
    mayConsume: textOr(raw, 'consumeEnable', 'true') === 'true',
    isOrderly: textOr(raw, 'consumeMessageOrderly', 'false') === 'true',
    retries: integerOr(raw, 'retryMaxTimes', 16),
    raw,
  };
}

/** The group whose retry or dead-letter topic has this name; undefined where it is no such name. */
export function groupOfDerivedTopic(name: string): string | undefined {
  const prefix = [RETRY_PREFIX, DLQ_PREFIX].find((each) => name.startsWith(each));
  return prefix === undefined ? undefined : name.slice(prefix.length);
}

/** Says that there is no such group, and which one was probably meant. */
export async function noGroup(servers: Servers, group: string): Promise<Failure> {
  const names = new Set<string>();
  for (const broker of await servers.masters())
    for (const { name } of await allGroupConfigs(servers, broker)) names.add(name);
  const own = groupOfDerivedTopic(group);
  const near = own !== undefined && names.has(own) ? own : nearestOf(group, names);
  const hint = near === undefined ? '"ringmq group list" shows those there are.' : `did you mean ${near}?`;
  return new Failure(`There is no group ${group}: ${hint}`);
}

export async function requireGroup(servers: Servers, group: string): Promise<void> {
  for (const broker of await servers.masters()) {
    const groups = await allGroupConfigs(servers, broker);
    if (groups.some(({ name }) => name === group)) return;
  }
  throw await noGroup(servers, group);
}

export interface Member {
  clientId: string;
  address: string;
  language: string;
  version: number;
}

export interface Membership {
  members: Member[];
  /** Topic and expression of each subscription. */
  subscriptions: Map<string, string>;
}

export async function membersOf(servers: Servers, address: string, group: string): Promise<Membership> {
  const { code, body } = await servers.ask(address, {
    code: RequestCode.GET_CONSUMER_CONNECTION_LIST,
    fields: { consumerGroup: group },
    to: `tell who is in group ${group}`,
    accept: [ResponseCode.CONSUMER_NOT_ONLINE],
  });
  if (code !== ResponseCode.SUCCESS) return { members: [], subscriptions: new Map() };
  const answer = objectOf(body);
  const members = asArray(answer['connectionSet']).map((value) => {
    const member = asObject(value) ?? {};
    return {
      clientId: textOr(member, 'clientId', ''),
      address: textOr(member, 'clientAddr', ''),
      language: textOr(member, 'language', ''),
      version: integerOr(member, 'version', 0),
    };
  });
  const subscriptions = entriesOf(answer['subscriptionTable']).map(
    ([topic, value]) => [topic, textOr(asObject(value) ?? {}, 'subString', '*')] as const,
  );
  return { members, subscriptions: new Map(subscriptions) };
}

/** Of all brokers together; a member is connected to each of them. */
export async function allMembersOf(servers: Servers, group: string): Promise<Member[]> {
  const byId = new Map<string, Member>();
  for (const { address } of await servers.masters())
    for (const member of (await membersOf(servers, address, group)).members)
      byId.set(member.clientId, member);
  return [...byId.values()].sort((a, b) => (a.clientId < b.clientId ? -1 : 1));
}

/** Makes or changes it; what `raw` does not name the broker fills in. */
export async function writeGroup(
  servers: Servers,
  address: string,
  group: string,
  { attributes, ...raw }: RocketJsonObject,
): Promise<void> {
  // The table has attributes as they are; a request names those that are to change.
  const changes = entriesOf(attributes).map(([name, value]) => [`+${name}`, value] as const);
  await servers.ask(address, {
    code: RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP,
    body: Buffer.from(writeRocketJson({ ...raw, groupName: group, attributes: Object.fromEntries(changes) })),
    to: `write group ${group}`,
  });
}

/** A broker at which no member has ever been need not know a group: it gets it as one of the others has it. */
export async function copyGroupTo(servers: Servers, group: string, address: string): Promise<void> {
  for (const broker of await servers.masters()) {
    const known = (await allGroupConfigs(servers, broker)).find(({ name }) => name === group);
    if (known !== undefined) return writeGroup(servers, address, group, known.raw);
  }
  throw await noGroup(servers, group);
}
