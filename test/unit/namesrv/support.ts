/** Brokers as a name server sees them. */
import { crc32 } from 'node:zlib';
import { RequestCode } from '../../../src/protocol/codes.ts';
import type { RemotingCommand } from '../../../src/protocol/command.ts';
import { writeRocketJson } from '../../../src/protocol/rocketmq-json.ts';
import type { RawPeer } from '../remoting/support.ts';

export interface BrokerOptions {
  clusterName?: string;
  brokerName?: string;
  brokerId?: number;
  brokerAddr?: string;
  /** Becomes the data version, together with stateVersion. */
  counter?: number;
  stateVersion?: number;
  /** Fields beyond the required ones. */
  fields?: Record<string, string>;
}

export function topicConfig(topicName: string, perm = 6, topicSysFlag = 0): Record<string, unknown> {
  return {
    attributes: {},
    order: false,
    perm,
    readQueueNums: 4,
    topicFilterType: 'SINGLE_TAG',
    topicName,
    topicSysFlag,
    writeQueueNums: 4,
  };
}

export function registerBody(topics: Record<string, unknown>[], options: BrokerOptions = {}): Buffer {
  const { counter = 1, stateVersion = 0 } = options;
  const json = writeRocketJson({
    filterServerList: [],
    topicConfigSerializeWrapper: {
      dataVersion: { counter, stateVersion, timestamp: 1_700_000_000_000 },
      topicConfigTable: Object.fromEntries(topics.map((topic) => [topic['topicName'], topic])),
      topicQueueMappingInfoMap: {},
    },
  });
  return Buffer.from(json);
}

export function brokerFields(options: BrokerOptions = {}): Record<string, string> {
  const { clusterName = 'c', brokerName = 'b', brokerId = 0, brokerAddr = '10.0.0.1:10911' } = options;
  return { clusterName, brokerName, brokerId: String(brokerId), brokerAddr };
}

/** 103 with two topics unless told otherwise: a single one is refused at first. */
export function register(
  peer: RawPeer,
  options: BrokerOptions = {},
  topics: Record<string, unknown>[] = [topicConfig('t1'), topicConfig('t2')],
): Promise<RemotingCommand> {
  const body = registerBody(topics, options);
  const fields = {
    ...brokerFields(options),
    haServerAddr: `${options.brokerAddr ?? '10.0.0.1:10911'}-ha`,
    enableActingMaster: 'false',
    compressed: 'false',
    bodyCrc32: String(crc32(body) & 0x7f_ff_ff_ff),
    ...options.fields,
  };
  return peer.ask(RequestCode.REGISTER_BROKER, fields, body);
}

export function route(peer: RawPeer, topic: string): Promise<RemotingCommand> {
  return peer.ask(RequestCode.GET_ROUTEINFO_BY_TOPIC, { topic });
}
