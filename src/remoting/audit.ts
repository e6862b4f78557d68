/**
 * A line of the log for each administrative request: who asked, from where, for what, and what came of it. The requests
 * of which that is told are named here; those that only read, and those that clients send by themselves, are not.
 */
import { type ControlLog, noLog } from '../lib/log.ts';
import { RequestCode, ResponseCode, requestName, responseName } from '../protocol/codes.ts';
import { isOneway, type RemotingCommand } from '../protocol/command.ts';
import { versionName } from '../protocol/version-name.ts';
import type { ClientConnection, ControlHandler, Reply } from './connection.ts';

/** Of these the body is JSON that says what is asked for; others' bodies are not shown. */
const SHOWN_BODIES: ReadonlySet<number> = new Set([
  RequestCode.UPDATE_AND_CREATE_TOPIC_LIST,
  RequestCode.UPDATE_AND_CREATE_STATIC_TOPIC,
  RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP,
  RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST,
  RequestCode.SET_MESSAGE_REQUEST_MODE,
]);

/** Requests by which somebody changes, moves or deletes what others work with. */
export const AUDITED: ReadonlySet<number> = new Set([
  ...SHOWN_BODIES,
  RequestCode.UPDATE_AND_CREATE_TOPIC,
  RequestCode.DELETE_TOPIC_IN_BROKER,
  RequestCode.PURGE_TOPIC,
  RequestCode.DELETE_SUBSCRIPTIONGROUP,
  RequestCode.UPDATE_AND_GET_GROUP_FORBIDDEN,
  RequestCode.INVOKE_BROKER_TO_RESET_OFFSET,
  RequestCode.CLONE_GROUP_OFFSET,
  RequestCode.CONSUME_MESSAGE_DIRECTLY,
  RequestCode.RESUME_CHECK_HALF_MESSAGE,
  RequestCode.TRIGGER_LITE_DISPATCH,
  RequestCode.UPDATE_BROKER_CONFIG,
  RequestCode.UPDATE_COLD_DATA_FLOW_CTR_CONFIG,
  RequestCode.REMOVE_COLD_DATA_FLOW_CTR_CONFIG,
  RequestCode.SET_COMMITLOG_READ_MODE,
  RequestCode.CLEAN_EXPIRED_CONSUMEQUEUE,
  RequestCode.CLEAN_UNUSED_TOPIC,
  RequestCode.DELETE_EXPIRED_COMMITLOG,
  RequestCode.RESET_MASTER_FLUSH_OFFSET,
  RequestCode.SWITCH_TIMER_ENGINE,
  RequestCode.POP_ROLLBACK,
  // Of the name server
  RequestCode.PUT_KV_CONFIG,
  RequestCode.DELETE_KV_CONFIG,
  RequestCode.WIPE_WRITE_PERM_OF_BROKER,
  RequestCode.ADD_WRITE_PERM_OF_BROKER,
  RequestCode.DELETE_TOPIC_IN_NAMESRV,
  RequestCode.REGISTER_TOPIC_IN_NAMESRV,
  RequestCode.UPDATE_NAMESRV_CONFIG,
]);

/** Characters of a body that are shown. */
const MAX_BODY = 512;
/** Fields that say what a request is about: they are shown first, whatever else there is. */
const SAY_WHAT = [
  ...['topic', 'group', 'groupName', 'subscriptionGroup', 'consumerGroup', 'brokerName', 'namespace', 'key'],
  ...['srcGroup', 'destGroup', 'clientId', 'msgId', 'queueId', 'timestamp', 'offset', 'value'],
];
/** Characters of each field, and other fields, that are shown. */
const MAX_VALUE = 64;
const MAX_OTHERS = 8;

/** The handler of a request code, which tells `log` what it was asked when that is to be told. */
export function audited(code: number, handler: ControlHandler, log: ControlLog): ControlHandler {
  if (!AUDITED.has(code) || log === noLog) return handler;
  return (request, connection) => {
    const told = (reply: Reply) => {
      tell(log, request, connection, reply);
      return reply;
    };
    const failed = (error: unknown): never => {
      log.info(asked(request, connection), `audit: ${requestName(code)} failed`);
      throw error;
    };
    try {
      const reply = handler(request, connection);
      return reply instanceof Promise ? reply.then(told, failed) : told(reply);
    } catch (error) {
      return failed(error);
    }
  };
}

function tell(log: ControlLog, request: RemotingCommand, connection: ClientConnection, reply: Reply): void {
  const name = requestName(request.code);
  const who = asked(request, connection);
  if (reply === undefined) {
    const outcome = isOneway(request) ? 'taken, the asker wants no answer' : 'taken, the answer follows';
    log.info(who, `audit: ${name} ${outcome}`);
    return;
  }
  const result = responseName(reply.code);
  const isDone = reply.code === ResponseCode.SUCCESS;
  const remark = isDone ? {} : { remark: reply.remark ?? '' };
  log.info({ ...who, result, ...remark }, `audit: ${name} ${isDone ? 'done' : 'refused'}`);
}

/** Who, from where, for what. */
function asked(request: RemotingCommand, connection: ClientConnection): object {
  const { language, version, fields, body } = request;
  const subject = connection.subject === undefined ? {} : { subject: connection.subject };
  const shown = body !== undefined && SHOWN_BODIES.has(request.code) ? { body: startOf(body) } : {};
  return {
    client: connection.remoteAddress,
    ...subject,
    request: requestName(request.code),
    by: `${language} ${versionName(version)}`,
    fields: shownFields(fields),
    ...shown,
  };
}

function shownFields(fields: Readonly<Record<string, string>>): object {
  const names = Object.keys(fields);
  const first = SAY_WHAT.filter((name) => names.includes(name));
  const others = names.filter((name) => !SAY_WHAT.includes(name)).slice(0, MAX_OTHERS);
  return Object.fromEntries([...first, ...others].map((name) => [cut(name), cut(fields[name] ?? '')]));
}

function cut(text: string): string {
  return text.length <= MAX_VALUE ? text : `${text.slice(0, MAX_VALUE)}…`;
}

function startOf(body: Uint8Array): string {
  return Buffer.from(body.buffer, body.byteOffset, Math.min(body.length, MAX_BODY)).toString('utf8');
}
