/**
 * The body of REGISTER_BROKER (103) in its three forms: JSON, the same compressed as a list of texts, and the bare
 * topic table of brokers older than 3.0.11.
 */
import { crc32, inflateSync } from 'node:zlib';
import {
  limitRemark,
  MAX_FILTER_SERVERS,
  MAX_FRAME_BYTES,
  MAX_INFLATED_BYTES,
  MAX_JSON_TEXT,
  MAX_REGISTRATION_VALUES,
  MAX_TOPICS,
} from '../lib/limits.ts';
import { isPlainName } from '../lib/names.ts';
import { quote } from '../lib/quote.ts';
import { PERM_READ_WRITE } from '../metadata/topic-config.ts';
import { limitError, ProtocolError } from '../protocol/errors.ts';
import {
  asArray,
  asObject,
  entriesOf,
  INT32,
  integerOr,
  integerWithin,
  textOr,
} from '../protocol/json-fields.ts';
import {
  type ParseOptions,
  parseRocketJson,
  REQUEST_JSON,
  type RocketJson,
  type RocketJsonObject,
  writeRocketJson,
} from '../protocol/rocketmq-json.ts';
import type { DataVersion, RegisterBody, RegisteredTopic, TopicQueueMapping } from './model.ts';

/** MQVersion ordinals. */
const V3_0_11 = 37;
const V5_0_0 = 413;

/** In pieces this large the memory goes back to the system; zlib's own of 16 KiB stay with the process. */
const INFLATE_CHUNK_BYTES = 1024 * 1024;

/** A broker with very many topics says all of them at once. */
const REGISTRATION_JSON: ParseOptions = {
  ...REQUEST_JSON,
  maxLength: MAX_FRAME_BYTES,
  maxValues: { count: MAX_REGISTRATION_VALUES, limit: 'MAX_REGISTRATION_VALUES' },
};

/** A compressed body has a text for each topic. */
const MAX_TEXTS = MAX_TOPICS;

/** What Java fills in where a topic leaves a field out. */
const DEFAULT_QUEUES = 16;

/** Checks the body against the `bodyCrc32` field; 0 means that the sender did not compute one. */
export function matchesChecksum(body: Uint8Array | undefined, bodyCrc32: number): boolean {
  return bodyCrc32 === 0 || (crc32(body ?? new Uint8Array()) & 0x7f_ff_ff_ff) === bodyCrc32;
}

/**
 * No body registers a broker without topics.
 * @param version MQVersion ordinal of the sender: decides which form and which sections there are.
 * Throws a ProtocolError for anything else.
 */
export function decodeRegisterBody(
  body: Uint8Array | undefined,
  compressed: boolean,
  version: number,
): RegisterBody {
  if (body === undefined) return bodyOf({}, undefined);
  if (version < V3_0_11) return bodyOf(objectOf(parseText(body)), undefined);
  if (compressed) return decodeCompressed(body, version);
  const json = objectOf(parseText(body));
  return bodyOf(objectOf(json['topicConfigSerializeWrapper']), serversOf(json['filterServerList']));
}

export function decodeDataVersion(json: RocketJson | undefined): DataVersion {
  const object = objectOf(json);
  return {
    counter: longOf(object, 'counter'),
    stateVersion: longOf(object, 'stateVersion'),
    timestamp: longOf(object, 'timestamp'),
  };
}

function bodyOf(wrapper: RocketJsonObject, filterServers: string[] | undefined): RegisterBody {
  const topics = entriesOf(wrapper['topicConfigTable']).map(([name, config]) =>
    topicOf(name, objectOf(config)),
  );
  const mappings = new Map<string, TopicQueueMapping>();
  for (const [topic, info] of entriesOf(wrapper['topicQueueMappingInfoMap'])) {
    if (isPlainName(topic)) mappings.set(topic, mappingOf(info));
  }
  return { dataVersion: decodeDataVersion(wrapper['dataVersion']), topics, mappings, filterServers };
}

/**
 * After inflating: version, topics, filter servers and, from 5.0 on, queue mappings.
 * Each text is led by its length in bytes, each list by the number of its texts, both int32 big endian.
 */
function decodeCompressed(body: Uint8Array, version: number): RegisterBody {
  const reader = new TextReader(inflate(body));
  const dataVersion = decodeDataVersion(parseRocketJson(reader.text(), REGISTRATION_JSON));
  const topics = Array.from(reader.texts(), topicOfLine);
  const filterServers = serversOf(parseRocketJson(reader.text(), REGISTRATION_JSON));
  const mappings = new Map<string, TopicQueueMapping>();
  if (version >= V5_0_0) {
    for (const text of reader.texts()) {
      const info = objectOf(parseRocketJson(text, REGISTRATION_JSON));
      const topic = textOr(info, 'topic', '');
      if (isPlainName(topic)) mappings.set(topic, mappingOf(info));
    }
  }
  return { dataVersion, topics, mappings, filterServers };
}

/** `name readQueues writeQueues perm filterType attributes`; the attributes do not concern a name server. */
function topicOfLine(line: string): RegisteredTopic {
  const [topicName = '', readQueueNums = null, writeQueueNums = null, perm = null] = line.split(' ');
  return topicOf(topicName, { readQueueNums, writeQueueNums, perm });
}

/** A table names each topic twice; the entry's own name counts, as in RocketMQ. */
function topicOf(name: string, config: RocketJsonObject): RegisteredTopic {
  const topicName = textOr(config, 'topicName', name);
  if (!isPlainName(topicName)) throw new ProtocolError('VALUE', `no topic's name: ${quote(topicName)}`);
  return {
    topicName,
    readQueueNums: integerWithin(config, 'readQueueNums', INT32, DEFAULT_QUEUES),
    writeQueueNums: integerWithin(config, 'writeQueueNums', INT32, DEFAULT_QUEUES),
    perm: integerWithin(config, 'perm', INT32, PERM_READ_WRITE),
    topicSysFlag: integerWithin(config, 'topicSysFlag', INT32, 0),
  };
}

function mappingOf(info: RocketJson): TopicQueueMapping {
  const { length } = writeRocketJson(info);
  if (length > MAX_JSON_TEXT)
    throw limitError('characters in a queue mapping', MAX_JSON_TEXT, 'MAX_JSON_TEXT');
  const brokerName = textOr(objectOf(info), 'bname', '');
  if (brokerName !== '' && !isPlainName(brokerName)) {
    throw new ProtocolError('VALUE', `no broker's name: ${quote(brokerName)}`);
  }
  return { brokerName, info };
}

function inflate(body: Uint8Array): Buffer {
  try {
    return inflateSync(body, { maxOutputLength: MAX_INFLATED_BYTES, chunkSize: INFLATE_CHUNK_BYTES });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const isTooLarge = code === 'ERR_BUFFER_TOO_LARGE';
    const reason = isTooLarge ? limitRemark('bytes', MAX_INFLATED_BYTES, 'MAX_INFLATED_BYTES') : message;
    throw new ProtocolError('VALUE', `body cannot be inflated: ${reason}`);
  }
}

function parseText(body: Uint8Array): RocketJson {
  return parseRocketJson(
    Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'),
    REGISTRATION_JSON,
  );
}

/** Absent reads as empty. */
function objectOf(json: RocketJson | undefined): RocketJsonObject {
  const object = asObject(json ?? {});
  if (object === undefined) throw new ProtocolError('VALUE', 'JSON object expected in the body');
  return object;
}

function serversOf(json: RocketJson | undefined): string[] {
  const servers = asArray(json);
  if (servers.length > MAX_FILTER_SERVERS) {
    throw limitError('filter servers of a broker', MAX_FILTER_SERVERS, 'MAX_FILTER_SERVERS');
  }
  return servers.filter((server) => typeof server === 'string' && isPlainName(server)).map(String);
}

/** Past 2^53 it stays a bigint, so that versions can be compared to the last digit. */
function longOf(object: RocketJsonObject, name: string): number | bigint {
  const value = object[name];
  return typeof value === 'bigint' ? value : integerOr(object, name, 0);
}

class TextReader {
  readonly #bytes: Buffer;
  #offset = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  text(): string {
    const length = this.#int32();
    if (length < 0 || length > this.#bytes.length - this.#offset) {
      throw new ProtocolError('LENGTH', `text of ${length} bytes in the compressed body`);
    }
    const start = this.#offset;
    this.#offset += length;
    return this.#bytes.toString('utf8', start, this.#offset);
  }

  *texts(): Generator<string, void, undefined> {
    const count = this.#int32();
    if (count > MAX_TEXTS) throw limitError('texts in a compressed body', MAX_TEXTS, 'MAX_TOPICS');
    for (let left = count; left > 0; left -= 1) yield this.text();
  }

  #int32(): number {
    if (this.#bytes.length - this.#offset < 4)
      throw new ProtocolError('LENGTH', 'compressed body ends early');
    const value = this.#bytes.readInt32BE(this.#offset);
    this.#offset += 4;
    return value;
  }
}
