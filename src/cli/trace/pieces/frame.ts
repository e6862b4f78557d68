/** A frame of the protocol, byte by byte, in either header format: places come from the broker's own readers. */
import { ITEM_BODY, ITEM_BODY_LENGTH } from '../../../broker/send/batch-item.ts';
import { LONG_NAMES } from '../../../broker/send/send-fields.ts';
import { RequestCode, requestName, responseName } from '../../../protocol/codes.ts';
import { FLAG_ONEWAY, FLAG_RESPONSE, SERIALIZE_BINARY } from '../../../protocol/command.ts';
import { HEADER_WORD_BYTES, LENGTH_BYTES } from '../../../protocol/command-codec.ts';
import { languageByNumber } from '../../../protocol/languages.ts';
import { RequestView } from '../../../protocol/request-view.ts';
import { jsonMembers } from './json-members.ts';
import { FieldList, type Piece, type PieceField, textOf } from './piece.ts';
import { propertiesOf, recordsIn } from './stored.ts';

/** What the header's own members and the fields of these requests say. */
const MEANINGS: Readonly<Record<string, string>> = {
  opaque: 'number of the request; its answer has the same',
  version: 'of the protocol, by number',
  language: 'of the client',
  serializeTypeCurrentRPC: 'format of this header',
  consumerGroup: 'who pulls',
  queueOffset: 'number of the message in its queue',
  maxMsgNums: 'so many messages at most',
  sysFlag: 'bits that say what else is wanted',
  commitOffset: 'how far the consumer says it has come',
  suspendTimeoutMillis: 'how long the broker may keep the pull while there is nothing, ms',
  subscription: 'which tags',
  subVersion: 'of the subscription',
  expressionType: 'what kind of filter that is',
  msgId: 'where the message lies: store host and position, in hex',
  transactionId: 'the unique key that the producer gave it',
  nextBeginOffset: 'where to pull next',
  minOffset: 'first message that the queue still has',
  maxOffset: 'number that its next message will have',
  suggestWhichBrokerId: 'whom to pull from next; 0 = the master',
  offset: 'position in the log',
  delayLevel: 'how long it is to wait',
  originMsgId: 'which message is given back',
  originTopic: 'and of which topic',
  group: 'which group gives it back',
  maxReconsumeTimes: 'tries before it is a dead letter',
};

const SEND_CODES: ReadonlySet<number> = new Set([
  RequestCode.SEND_MESSAGE_V2,
  RequestCode.SEND_BATCH_MESSAGE,
]);

/** The whole frame, its length in front. */
export function framePiece(title: string, bytes: Uint8Array): Piece {
  return { title, bytes, from: 0, fields: frameFields(bytes) };
}

export function frameFields(bytes: Uint8Array): PieceField[] {
  const list = new FieldList(bytes);
  const request = new RequestView();
  list.int32('length', 'bytes that follow');
  const length = bytes.length - LENGTH_BYTES;
  if (!request.read(bytes, list.view, LENGTH_BYTES, length))
    return list.rest('?', 'no frame that anybody reads').fields;
  const isBinary = request.serializeType === SERIALIZE_BINARY;
  list.add(1, 'serialize type', request.serializeType, isBinary ? 'ROCKETMQ: a binary header' : 'JSON');
  list.add(HEADER_WORD_BYTES - 1, 'header length', request.bodyOffset - list.at - 3, 'bytes');
  if (isBinary) binaryHeader(list, request);
  else jsonHeader(list, request);
  bodyFields(list, request);
  return list.fields;
}

const isAnswer = ({ flag }: RequestView) => (flag & FLAG_RESPONSE) !== 0;

function codeMeaning(request: RequestView): string {
  return isAnswer(request) ? responseName(request.code) : requestName(request.code);
}

function flagMeaning({ flag }: RequestView): string {
  const kind = (flag & FLAG_RESPONSE) !== 0 ? 'an answer' : 'a request';
  return (flag & FLAG_ONEWAY) !== 0 ? `${kind} that wants no answer` : kind;
}

/** A header field's long name, where a letter stands for it, and what it is for. */
function fieldMeaning(request: RequestView, name: string): string {
  const letter = name.length === 1 && SEND_CODES.has(request.code) && !isAnswer(request);
  const long = letter ? (LONG_NAMES[name.charCodeAt(0) - 0x61] ?? (name === 'n' ? 'brokerName' : '')) : '';
  const meaning = MEANINGS[long === '' ? name : long] ?? '';
  return [long, meaning].filter((part) => part !== '').join(': ');
}

function jsonHeader(list: FieldList, request: RequestView): void {
  const end = request.bodyOffset;
  list.add(1, '{', '{', 'the header begins');
  for (const { name, end: next, value, isMember } of jsonMembers(list.bytes, list.at, end)) {
    const meaning = isMember ? memberMeaning(name, request) : fieldMeaning(request, name);
    list.add(next - list.at, isMember ? name : `extFields ${name}`, value, meaning);
  }
  list.add(end - list.at, '}', textOf(list.bytes.subarray(list.at, end)), 'the header ends');
}

function memberMeaning(name: string, request: RequestView): string {
  if (name === 'code') return codeMeaning(request);
  if (name === 'flag') return flagMeaning(request);
  if (name === 'extFields') return "the request's own fields";
  if (name === 'extFields end') return '';
  return MEANINGS[name] ?? '';
}

function binaryHeader(list: FieldList, request: RequestView): void {
  list.int16('code', codeMeaning(request));
  list.add(1, 'language', list.view.getUint8(list.at), languageByNumber(list.view.getUint8(list.at)));
  list.int16('version', MEANINGS['version']);
  list.int32('opaque', MEANINGS['opaque']);
  list.int32('flag', flagMeaning(request));
  const remark = list.int32('remark length', (length) => (length === 0 ? 'none' : 'bytes'));
  if (remark > 0) list.text(remark, 'remark', 'in words');
  const length = list.int32('fields length', 'bytes of all fields');
  const end = list.at + length;
  while (list.at < end) binaryField(list, request);
  list.add(request.bodyOffset - list.at, '?', '', 'what the reader of headers has left out');
}

/** 2 bytes for the length of the name, the name, 4 bytes for that of the value, the value. */
function binaryField(list: FieldList, request: RequestView): void {
  const { bytes, view, at } = list;
  const nameEnd = at + 2 + view.getInt16(at);
  const valueEnd = nameEnd + 4 + view.getInt32(nameEnd);
  const name = Buffer.from(bytes.subarray(at + 2, nameEnd)).toString();
  const value = textOf(bytes.subarray(nameEnd + 4, valueEnd));
  const meaning = [fieldMeaning(request, name), 'lengths in 2 and 4 bytes'].filter((part) => part !== '');
  list.add(valueEnd - at, `field ${name}`, value === '' ? '""' : value, meaning.join('; '));
}

function bodyFields(list: FieldList, request: RequestView): void {
  const body = list.bytes.subarray(request.bodyOffset);
  if (body.length === 0) return;
  if (request.code === RequestCode.SEND_BATCH_MESSAGE && !isAnswer(request)) batchBody(list);
  else if (isAnswer(request)) list.inside(recordsIn(body));
  else list.text(body.length, 'body', 'the message');
  if (list.at < list.bytes.length) list.rest('?', 'of no known form');
}

/** The messages of a batch, one behind the other (`broker/send/batch-item.ts`). */
function batchBody(list: FieldList): void {
  for (let i = 0; list.at + ITEM_BODY <= list.bytes.length; i++) {
    const bodyLength = list.view.getInt32(list.at + ITEM_BODY_LENGTH);
    const name = (field: string) => `[${i}] ${field}`;
    list.int32(name('size'), 'bytes of this message of the batch');
    list.int32(name('magic'), 'the broker does not look at it');
    list.int32(name('bodyCrc'), 'the broker computes its own');
    list.int32(name('flag'), "the application's");
    list.int32(name('bodyLength'));
    list.text(bodyLength, name('body'));
    const properties = list.int16(name('propertiesLength'));
    list.inside(propertiesOf(list.bytes.subarray(list.at, list.at + properties)), `[${i}] `);
  }
}
