/** Messages as people and programs read them: bodies decoded, times in words. */

import { visibleLine } from '../../lib/visible.ts';
import { messageIdOf, type StoredMessage } from '../../record/decode.ts';
import { SYS_COMPRESSED } from '../../record/layout.ts';
import type { HostAddress } from '../../record/message-id.ts';
import { PROPERTY_KEYS, PROPERTY_TAGS, PROPERTY_UNIQUE_KEY } from '../../record/properties.ts';
import { formatAddress } from '../../remoting/address.ts';
import { unpack } from './bodies/unpack.ts';
import { counted, listing } from './output.ts';
import type { LocatedMessage } from './queue-reads.ts';
import { queueText } from './routes.ts';
import { spanText, timeText } from './times.ts';

export const FORMS = ['auto', 'text', 'json', 'hex'] as const;
export type Form = (typeof FORMS)[number];

const HEX_COLUMNS = 16;
const LINE_CHARACTERS = 80;

export interface DecodedBody {
  kind: 'json' | 'text' | 'bytes';
  bytes: Uint8Array;
  /** Why the bytes are not those that the producer gave. */
  problem?: string;
}

export function idOf(message: StoredMessage): string {
  return message.properties.get(PROPERTY_UNIQUE_KEY) ?? messageIdOf(message);
}

export function decodeBody(message: Pick<StoredMessage, 'body' | 'sysFlag'>): DecodedBody {
  const { body, sysFlag } = message;
  if ((sysFlag & SYS_COMPRESSED) === 0) return { kind: kindOf(body), bytes: body };
  const { bytes, problem } = unpack(body, sysFlag);
  return problem === undefined ? { kind: kindOf(bytes), bytes } : { kind: 'bytes', bytes, problem };
}

function kindOf(bytes: Uint8Array): DecodedBody['kind'] {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return 'bytes';
  }
  if (/[\p{Cc}]/u.test(text.replaceAll(/[\t\n\r]/g, ''))) return 'bytes';
  return /^\s*[[{]/.test(text) && isJson(text) ? 'json' : 'text';
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The whole body; JSON in several lines, unless it is to stay as it is. */
export function bodyText(
  { kind, bytes }: DecodedBody,
  form: Form,
  layout: 'pretty' | 'as it is' = 'pretty',
): string {
  const text = Buffer.from(bytes).toString('utf8');
  if (form === 'hex' || (form === 'auto' && kind === 'bytes')) return hexText(bytes);
  if (form === 'text' || kind !== 'json' || (layout === 'as it is' && form === 'auto')) return text;
  return JSON.stringify(JSON.parse(text), undefined, 2);
}

/** `00000000  68 65 6c 6c 6f …  |hello|`, 16 bytes a line. */
export function hexText(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += HEX_COLUMNS) {
    const part = bytes.subarray(at, at + HEX_COLUMNS);
    const hex = [...part].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const shown = [...part]
      .map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.'))
      .join('');
    lines.push(`${at.toString(16).padStart(8, '0')}  ${hex.padEnd(HEX_COLUMNS * 3 - 1)}  |${shown}|`);
  }
  return lines.join('\n');
}

/** The beginning of a body in one line. */
export function bodyLine({ kind, bytes }: DecodedBody, form: Form, most = LINE_CHARACTERS): string {
  const isHex = form === 'hex' || (form === 'auto' && kind === 'bytes');
  const head = Buffer.from(bytes.subarray(0, most * 4));
  const text = isHex
    ? head.toString('hex')
    : head
        .toString('utf8')
        .replaceAll(/\s+/g, ' ')
        .replaceAll(/\p{Cc}/gu, '.');
  return text.length > most || bytes.length > head.length ? `${text.slice(0, most - 1)}…` : text;
}

export function keysOf(message: StoredMessage): string[] {
  return (message.properties.get(PROPERTY_KEYS) ?? '').split(' ').filter((key) => key !== '');
}

export interface MessageJson {
  topic: string;
  broker: string;
  queue: number;
  offset: number;
  id: string;
  offsetId: string;
  tag: string | undefined;
  keys: string[];
  stored: string;
  born: string;
  bornHost: string;
  storeHost: string;
  failedDeliveries: number;
  properties: Record<string, string>;
  /** A value where the body is JSON, a text, or base64. */
  body: unknown;
  bodyIs: 'json' | 'text' | 'base64' | 'hex';
  bodyBytes: number;
  bodyProblem: string | undefined;
}

export function messageJson(message: LocatedMessage, form: Form): MessageJson {
  const decoded = decodeBody(message);
  return {
    topic: message.topic,
    broker: message.broker,
    queue: message.queueId,
    offset: message.queueOffset,
    id: idOf(message),
    offsetId: messageIdOf(message),
    tag: message.properties.get(PROPERTY_TAGS),
    keys: keysOf(message),
    stored: new Date(message.storeTimestamp).toISOString(),
    born: new Date(message.bornTimestamp).toISOString(),
    bornHost: hostText(message.bornHost),
    storeHost: hostText(message.storeHost),
    failedDeliveries: message.reconsumeTimes,
    properties: Object.fromEntries(message.properties),
    ...jsonBody(decoded, form),
    bodyBytes: decoded.bytes.length,
    bodyProblem: decoded.problem,
  };
}

function jsonBody({ kind, bytes }: DecodedBody, form: Form): Pick<MessageJson, 'body' | 'bodyIs'> {
  const raw = Buffer.from(bytes);
  if (form === 'hex') return { body: raw.toString('hex'), bodyIs: 'hex' };
  if (form === 'text' || (kind === 'text' && form !== 'json'))
    return { body: raw.toString('utf8'), bodyIs: 'text' };
  if (kind === 'json') return { body: JSON.parse(raw.toString('utf8')), bodyIs: 'json' };
  return kind === 'text'
    ? { body: raw.toString('utf8'), bodyIs: 'text' }
    : { body: raw.toString('base64'), bodyIs: 'base64' };
}

/** One line: when it was stored, where it lies (`brokers`: how many have its topic), tag, keys, how its body begins. */
export function messageLine(message: LocatedMessage, form: Form, brokers: number): string {
  const decoded = decodeBody(message);
  const tag = message.properties.get(PROPERTY_TAGS);
  const keys = keysOf(message);
  const marks = [
    tag === undefined ? '' : `[${tag}]`,
    keys.length === 0 ? '' : `{${keys.join(' ')}}`,
    decoded.problem === undefined ? '' : `(${decoded.problem})`,
  ];
  const where = `${queueText(message, brokers)}/${message.queueOffset}`;
  const parts = [timeText(message.storeTimestamp), where, idOf(message), ...marks, bodyLine(decoded, form)];
  return visibleLine(parts.filter((part) => part !== '').join('  '));
}

/** All that is known of a message. */
export function messageText(message: LocatedMessage, form: Form, at: number): string {
  const decoded = decodeBody(message);
  const shownAbove = new Set([PROPERTY_UNIQUE_KEY, PROPERTY_TAGS, PROPERTY_KEYS]);
  const others = [...message.properties].filter(([name]) => !shownAbove.has(name));
  const head = listing([
    ['message', idOf(message)],
    ['topic', message.topic],
    ['broker', message.broker],
    ['queue', message.queueId],
    ['offset', message.queueOffset],
    ['offset id', messageIdOf(message)],
    ['tag', message.properties.get(PROPERTY_TAGS)],
    ['keys', keysOf(message).join(' ')],
    [
      'stored',
      `${timeText(message.storeTimestamp)} (${spanText(at - message.storeTimestamp)} ago) at ${hostText(message.storeHost)}`,
    ],
    ['born', `${timeText(message.bornTimestamp)} at ${hostText(message.bornHost)}`],
    [
      'failed',
      message.reconsumeTimes === 0 ? undefined : counted(message.reconsumeTimes, 'delivery', 'deliveries'),
    ],
    ['transaction', message.preparedTransactionOffset === 0 ? undefined : message.preparedTransactionOffset],
    ...others.map(([name, value]) => [`property ${name}`, value] as const),
    [
      'body',
      `${counted(decoded.bytes.length, 'byte')}${decoded.problem === undefined ? '' : `, ${decoded.problem}`}`,
    ],
  ]);
  return decoded.bytes.length === 0 ? head : `${head}\n\n${bodyText(decoded, form)}`;
}

export function hostText({ address, port }: HostAddress): string {
  const bytes = [...address];
  if (bytes.length === 4) return formatAddress(bytes.join('.'), port);
  const groups = Array.from({ length: 8 }, (_, i) =>
    (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16),
  );
  return formatAddress(groups.join(':'), port);
}
