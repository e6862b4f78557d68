// mqadmin's commands for topics, and those of the name server.

import { CONFIGURED, type Command, type Mask } from './command.ts';

const TOPIC_LIST = [
  { topicName: 'by-list', readQueueNums: 2, writeQueueNums: 2, perm: 6 },
  { topicName: 'by-list-too', readQueueNums: 3, writeQueueNums: 3, perm: 6 },
];

export const TOPICS: readonly Command[] = [
  {
    name: 'updateTopic',
    runs: [
      '-b {broker} -t orders -r 2 -w 2',
      '-b {broker} -t passing',
      '-c DefaultCluster -t ordered -r 2 -w 2 -p 6 -o true',
      '-c DefaultCluster -t fifo -r 1 -w 1 -a +message.type=FIFO',
      '-b {broker} -t odd -a +no.such.attribute=1',
      '-b {broker} -t TBW102 -r 8 -w 8',
      '-b {broker} -t no/name',
      '-c NoCluster -t orders',
    ],
  },
  {
    name: 'updateTopicList',
    before: async (scene) => scene.write('topics.json', JSON.stringify(TOPIC_LIST)),
    runs: [
      '-b {broker} -f {dir}/topics.json',
      '-c DefaultCluster -f {dir}/topics.json',
      '-b {broker} -f {dir}/missing.json',
    ],
  },
  {
    name: 'updateTopicPerm',
    runs: [
      { args: '-b {broker} -t by-list -p 4', settles: /success/ },
      { args: '-b {broker} -t by-list -p 4', about: 'again' },
      '-c DefaultCluster -t by-list -p 6',
      '-b {broker} -t nothing -p 4',
    ],
  },
  {
    name: 'updateStaticTopic',
    runs: [
      { args: '-c DefaultCluster -t static -qn 4' },
      { args: '-c DefaultCluster -t static -qn 6', about: 'made larger' },
    ],
  },
  { name: 'remappingStaticTopic', runs: [{ args: '-c DefaultCluster -t static' }] },
  {
    name: 'topicRoute',
    runs: [{ args: '-t orders', settles: /brokerDatas/ }, '-t orders -l', '-t static', '-t nothing'],
  },
  { name: 'topicClusterList', runs: ['-t orders', '-t nothing'] },
  {
    name: 'updateOrderConf',
    runs: [
      { args: '-t orders -m get', about: 'before' },
      '-t orders -m put -v broker-a:2',
      { args: '-t orders -m get', about: 'when it is there' },
      '-t orders -m delete',
      { args: '-t orders -m get', about: 'afterwards' },
    ],
  },
  { name: 'allocateMQ', runs: ['-t orders -i 10.0.0.1,10.0.0.2', '-t nothing -i 10.0.0.1'] },
  {
    name: 'updateKvConfig',
    runs: ['-s space -k name -v value', '-s space -k name -v another'],
  },
  { name: 'deleteKvConfig', runs: ['-s space -k name', { args: '-s space -k name', about: 'again' }] },
  { name: 'wipeWritePerm', runs: [{ args: '-b broker-a' }, '-b no-broker'] },
  { name: 'addWritePerm', runs: [{ args: '-b broker-a' }, '-b no-broker'] },
  {
    name: 'getNamesrvConfig',
    differs:
      'the name server shows the keys that it obeys; RocketMQ also shows sizes of thread pools and Netty',
    runs: [{ args: '', unordered: true, masks: CONFIGURED }],
  },
  {
    name: 'updateNamesrvConfig',
    differs: 'a key that does not exist is refused with the list of those that do; RocketMQ says success',
    runs: [
      '-k waitSecondsForService -v 45',
      '-k rocketmqHome -v /elsewhere',
      '-k configStorePath -v /elsewhere',
      '-k noSuchKey -v 1',
    ],
  },
  {
    name: 'deleteTopic',
    runs: [
      '-c DefaultCluster -t passing',
      '-c DefaultCluster -t static',
      '-c DefaultCluster -t nothing',
      '-c NoCluster -t orders',
    ],
  },
];

/** How many messages came in the last minute, hour or day depends on when a broker takes its samples. */
const SPANS: readonly Mask[] = [
  [/(\s)\d+(\s+NO_CONSUMER)$/gm, '$1<n>$2'],
  [/(\s)\d+(\s+)\d+$/gm, '$1<n>$2<n>'],
];

/** After the messages have been sent. */
export const TOPIC_STATES: readonly Command[] = [
  { name: 'topicStatus', runs: ['-t orders', '-t fifo', '-t nothing', '-t orders -c DefaultCluster'] },
  {
    name: 'topicList',
    runs: [
      { args: '', unordered: true },
      { args: '-c', unordered: true },
    ],
  },
  {
    name: 'statsAll',
    runs: [
      { args: '', unordered: true, masks: SPANS },
      { args: '-t orders', unordered: true, masks: SPANS },
      { args: '-t orders -a', unordered: true, masks: SPANS },
      '-t nothing',
    ],
  },
];
