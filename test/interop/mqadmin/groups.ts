// mqadmin's commands for groups, their members and their offsets.

import type { Command, Mask } from './command.ts';

const GROUP_LIST = [{ groupName: 'listed-group', retryMaxTimes: 5 }, { groupName: 'listed-group-too' }];
const POLICY = '{"type":"EXPONENTIAL","exponentialRetryPolicy":{"initial":10000,"max":60000,"multiplier":2}}';

export const GROUPS: readonly Command[] = [
  {
    name: 'updateSubGroup',
    differs: 'an attribute that does not exist is refused without the name of a Java class and line',
    runs: [
      '-b {broker} -g workers',
      '-c DefaultCluster -g options -s true -m true -d false -o true -q 2 -r 3 -i 0 -w 1 -a false',
      `-b {broker} -g policy -p '${POLICY}'`,
      '-b {broker} -g attributed --attributes +no.such.attribute=1',
      '-b {broker} -g no/name',
      '-c NoCluster -g workers',
    ],
  },
  {
    name: 'updateSubGroupList',
    before: async (scene) => scene.write('groups.json', JSON.stringify(GROUP_LIST)),
    runs: ['-b {broker} -f {dir}/groups.json', '-c DefaultCluster -f {dir}/groups.json'],
  },
  { name: 'getConsumerConfig', runs: ['-g options', '-g policy'] },
  {
    name: 'setConsumeMode',
    runs: [
      '-b {broker} -t orders -g policy -m POP -q 2',
      '-c DefaultCluster -t orders -g policy -m PULL',
      '-b {broker} -t orders -g policy -m NEITHER',
      '-b {broker} -t %RETRY%workers -g workers -m POP',
    ],
  },
];

/** Whether a consumer that ends at once has asked for its retry topic is a matter of chance. */
const RETRY_ROW: readonly Mask[] = [[/^%RETRY%workers.*\n/gm, '']];

/** With members: `live` has a consumer and all of the messages, `workers` had them and nobody is in it now. */
export const MEMBERS: readonly Command[] = [
  {
    name: 'consumerProgress',
    before: async (scene) => {
      await scene.consumed('orders', 'workers', 20);
      await scene.consumer({ topic: 'orders', group: 'live', instance: 'shown' }, 20);
      await scene.producer({ topic: 'fifo', group: 'live-producer' });
    },
    runs: [
      { args: '-g live', settles: /(?:orders\s+\S+\s+[01]\s+10\s+10\s[\s\S]*){2}/ },
      { args: '-g workers', masks: RETRY_ROW },
      '-g live -s true',
      '-g live -t orders',
      '-g nobody',
      { args: '', unordered: true, masks: [[/^(\S+.*\s)\d+(\s+\d+)$/gm, '$1<tps>$2']] },
    ],
  },
  {
    name: 'consumerConnection',
    runs: [
      { args: '-g live', learns: { client: /^(\S+@\S+)/m } },
      '-g live -b {broker}',
      '-g workers',
      '-g nobody',
    ],
  },
  { name: 'producerConnection', runs: ['-g live-producer -t fifo', '-g nobody -t fifo'] },
  { name: 'producer', runs: ['-b {broker}'] },
  {
    name: 'consumerStatus',
    runs: ['-g live', '-g live -i {client}', '-g live -b {broker}', '-g workers'],
  },
  {
    name: 'brokerConsumeStats',
    runs: [
      { args: '-b {broker}', unordered: true, masks: RETRY_ROW },
      '-b {broker} -o true',
      '-b {broker} -l 1',
    ],
  },
  { name: 'startMonitoring', runs: [''] },
  {
    name: 'cloneGroupOffset',
    runs: [
      '-s workers -d copied -t orders',
      '-s nobody -d copied -t orders',
      '-s workers -d copied -t nothing',
    ],
  },
  {
    name: 'resetOffsetByTime',
    runs: [
      '-g workers -t orders -s 0',
      '-g workers -t orders -s now',
      '-g workers -t orders -s -1',
      '-g workers -t orders -s 0 -b {broker} -q 1 -o 2',
      '-g live -t orders -s 0',
      '-g live -t orders -s 0 -c DefaultCluster',
      '-g ghost -t orders -s 0',
      '-g workers -t nothing -s 0',
      '-g workers -t orders -s yesterday',
    ],
  },
  {
    name: 'skipAccumulatedMessage',
    runs: ['-g workers -t orders', '-g workers -t orders -f true', '-g live -t orders', '-g ghost -t orders'],
  },
  {
    name: 'deleteSubGroup',
    runs: ['-b {broker} -g listed-group', '-c DefaultCluster -g listed-group-too -r true'],
  },
];
