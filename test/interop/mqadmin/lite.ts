// mqadmin's commands for lite topics.

import type { Command } from './command.ts';

export const LITE: readonly Command[] = [
  {
    name: 'getBrokerLiteInfo',
    differs:
      'the most lite topics are 100,000 (MAX_LITE_TOPICS), and the sizes of tables are those of RingMQ',
    before: (scene) => scene.lite(),
    runs: ['-b {broker}', '-b {broker} -d', '-c DefaultCluster'],
  },
  { name: 'getParentTopicInfo', runs: ['-p parent', '-p orders', '-p nothing'] },
  {
    name: 'getLiteTopicInfo',
    runs: ['-p parent -l one', '-p parent -l one -s', '-p parent -l none', '-p orders -l one'],
  },
  {
    name: 'getLiteClientInfo',
    runs: [
      '-p parent -g lite-group -c lite-client',
      '-p parent -g lite-group -c lite-client -s',
      '-p parent -g lite-group -c nobody',
    ],
  },
  {
    name: 'getLiteGroupInfo',
    runs: [
      '-p parent -g lite-group',
      '-p parent -g lite-group -k 1',
      '-p parent -g lite-group -l one',
      '-p parent -g workers',
    ],
  },
  {
    name: 'triggerLiteDispatch',
    runs: [
      '-p parent -g lite-group',
      '-p parent -g lite-group -c lite-client',
      '-p parent -g lite-group -b broker-a',
    ],
  },
];
