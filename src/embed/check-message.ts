/**
 * What a program gives to an open store, checked before it goes into the log: a record stays for as long as the log
 * does, and other brokers read it too.
 */
import { types } from 'node:util';
import { integer } from '../config/key.ts';
import { MAX_QUEUES_PER_TOPIC } from '../lib/limits.ts';
import { badOption, type Check, checked, domain, isTopicName, shown } from './check-options.ts';
import type { MessageToStore } from './message-store.ts';

const INT32 = 2 ** 31;
const isQueueId = domain(integer(0, MAX_QUEUES_PER_TOPIC - 1));
const isPosition = domain(integer(0, Number.MAX_SAFE_INTEGER));

const isBody: Check = (value) =>
  typeof value === 'string' || types.isUint8Array(value) ? undefined : 'a string or a Uint8Array';

/** They separate names and values in a record, or mean to recovery that a page of it was lost. */
const hasSeparator = (text: string) => ['\x00', '\x01', '\x02'].some((separator) => text.includes(separator));

const isProperties: Check = (value, path, call) => {
  // A Map has no fields, and would be stored as nothing.
  if (Object.prototype.toString.call(value) !== '[object Object]') return 'an object of strings';
  for (const [name, text] of Object.entries(value as object)) {
    const at = `${path}[${shown(name)}]`;
    if (name === '') throw badOption(call, `${path}: a property has no name.`);
    if (text === undefined) continue;
    if (typeof text !== 'string') {
      throw badOption(call, `${at}: ${shown(text)} is not possible: allowed is a string.`);
    }
    if (hasSeparator(name) || hasSeparator(text)) {
      throw badOption(call, `${at}: \\x00, \\x01 and \\x02 cannot stand in names and values of properties.`);
    }
  }
  return undefined;
};

const messageChecks: ReadonlyMap<string, Check> = new Map<keyof MessageToStore, Check>([
  ['topic', isTopicName],
  ['queueId', isQueueId],
  ['body', isBody],
  ['properties', isProperties],
  ['bornTimestamp', isPosition],
  ['flag', domain(integer(-INT32, INT32 - 1))],
]);

/** A copy without what is undefined. Throws RINGMQ_BAD_OPTION, as all here. */
export function checkMessage(given: unknown): MessageToStore {
  const message = checked<MessageToStore>('append', 'message.', given, messageChecks);
  for (const name of ['topic', 'body'] as const) {
    if (message[name] === undefined) throw badOption('append', `message.${name} is missing.`);
  }
  if (message.properties === undefined) return message;
  const properties = Object.entries(message.properties).filter(([, text]) => text !== undefined);
  return { ...message, properties: Object.fromEntries(properties) };
}

/** Where a walk begins: `undefined` is the beginning. */
export function checkPosition(call: string, name: string, value: number | undefined): number | undefined {
  return value === undefined ? undefined : allowedBy(isPosition, call, name, value);
}

export function checkQueue(topic: unknown, queueId: unknown): void {
  checkTopicName('queueMessages', topic);
  allowedBy(isPosition, 'queueMessages', 'queueId', queueId);
}

export function checkTopicName(call: string, topic: unknown): string {
  return allowedBy(isTopicName, call, 'topic', topic) as string;
}

function allowedBy<T>(check: Check, call: string, name: string, value: T): T {
  const allowed = check(value, name, call);
  if (allowed === undefined) return value;
  throw badOption(call, `${name}: ${shown(value)} is not possible: allowed is ${allowed}.`);
}
