/** What RocketMQ may leave in a store that RingMQ does not read. */
import type { FormatSpec } from './shape.ts';

function other(title: string, paths: string[], matches: RegExp, about: string, beware: string[]): FormatSpec {
  return {
    title,
    paths,
    matches,
    by: 'RocketMQ; RingMQ neither reads nor writes it',
    about,
    written: 'By RocketMQ.',
    code: 'src/cli/log/explain/formats/other-files.ts',
    beware,
  };
}

export const OTHER_FILES: readonly FormatSpec[] = [
  other(
    'RocksDB databases',
    [
      'rocksdbstore/',
      'kvStore/',
      'consumequeue_rocksdb/',
      'config/{topics,subscriptionGroups,consumerOffsets,metadata,rdb}/',
    ],
    /^(?:rocksdbstore|kvStore|consumequeue_rocksdb|config\/(?:topics|subscriptionGroups|consumerOffsets|metadata|rdb))\//,
    'Databases of RocketMQ. Every store of 5.5.0 has rocksdbstore/, empty by default: it says nothing about the kind of store.',
    ['Their files cannot be read one by one: they belong together, and to RocksDB.'],
  ),
  other(
    'Files of a controller',
    ['epochFileCheckpoint', 'brokerIdentity'],
    /^(?:epochFileCheckpoint|brokerIdentity(?:-temp)?)(?:\.bak)?$/,
    'Text: the epochs of masters with the positions at which they began (number of entries, CRC-32, then epoch-position), and cluster#brokerName#brokerId.',
    ['They say nothing without the controller that they were written for.'],
  ),
  other(
    'Compaction',
    ['compaction/'],
    /^compaction\//,
    'Copies of topics with cleanup.policy=COMPACTION that keep the last message of each key.',
    ['The CommitLog has the messages too, but only until its files expire.'],
  ),
  other(
    'broker.properties',
    ['config/broker.properties'],
    /^config\/broker\.properties(?:\.bak)?$/,
    "RocketMQ's configuration where it was started without -c: key=value, a line each.",
    ['A running broker may have other values.'],
  ),
];
