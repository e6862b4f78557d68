/** What the answer to a request that is not served says: its code, and where RingMQ lacks what it is about, why. */
import { RequestCode } from '../protocol/codes.ts';

const RIGHTS = 'RingMQ has no users and no access rules, whoever reaches the port may do everything';
const CONTROLLER = 'RingMQ has no controllers: a broker is its own master';
const CONTAINER = 'this is a broker, not a broker container: start another process for another broker';
const ROCKSDB = 'RingMQ keeps nothing in RocksDB: its configuration is JSON, its queues are files';

const REASONS: ReadonlyMap<number, string> = new Map([
  ...Object.entries(RequestCode)
    .filter(([name]) => name.startsWith('AUTH_'))
    .map(([, code]): [number, string] => [code, RIGHTS]),
  [RequestCode.GET_BROKER_EPOCH_CACHE, CONTROLLER],
  [RequestCode.ADD_BROKER, CONTAINER],
  [RequestCode.REMOVE_BROKER, CONTAINER],
  [RequestCode.CHECK_ROCKSDB_CQ_WRITE_PROGRESS, ROCKSDB],
  [RequestCode.EXPORT_ROCKSDB_CONFIG_TO_JSON, ROCKSDB],
]);

/** Begins as RocketMQ's. */
export function unsupportedRemark(code: number): string {
  const reason = REASONS.get(code);
  return ` request type ${code} not supported${reason === undefined ? '' : `: ${reason}`}`;
}
