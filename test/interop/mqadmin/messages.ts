// mqadmin's commands that send, find and consume messages.

import type { Command, Mask } from './command.ts';

/** A place in the log follows from how long the messages before it are: names of hosts, numbers of processes. */
const PLACES: readonly Mask[] = [
  [
    /(Physical Offset|phyOffset|CommitLog Offset|commitLogOffset|physicalOffset)(["=:\s]+)\d+/gi,
    '$1$2<place>',
  ],
  [/@\d{3,}\s*$/gm, '@<place>'],
];

export const MESSAGES: readonly Command[] = [
  {
    name: 'sendMessage',
    before: async (scene) => {
      await scene.introduce('orders', 'workers');
      for (const queue of [0, 1]) {
        const [sent] = await scene.send({
          topic: 'orders',
          queue,
          count: 10,
          start: queue * 10,
          tags: 'red,blue',
          prefix: 'order',
          trace: true,
          linger: 2_000,
        });
        scene.learn(`id${queue}`, sent?.msgId ?? '');
        scene.learn(`offsetId${queue}`, sent?.offsetMsgId ?? '');
      }
      const [sent] = await scene.send({ topic: 'single', queues: 1, prefix: 'single' });
      scene.learn('offsetIdAlone', sent?.offsetMsgId ?? '');
    },
    runs: [
      '-t fifo -p hello -k by-tool -c tag -b broker-a -i 0',
      '-t fifo -p hello -k by-tool -b broker-a -i 0 -m true',
      '-t fifo -p hello -b no-broker -i 0',
    ],
  },
  {
    name: 'queryMsgById',
    runs: [
      { args: '-t orders -i {offsetId0}', masks: PLACES },
      { args: '-t orders -i {offsetId0} -f utf-8', masks: PLACES },
      { args: '-t single -i {offsetIdAlone} -s true', about: 'sent again' },
      '-t orders -i 7F00000100000000FFFFFFFFFFFFFFFF',
      '-t orders -i nonsense',
    ],
  },
  {
    name: 'queryMsgByKey',
    runs: [
      { args: '-t orders -k order-0', masks: PLACES },
      { args: '-t orders -k order-0 -m 1 -b 0 -e {end}', masks: PLACES },
      { args: '-t orders -k red -p T', masks: PLACES },
      { args: '-t orders -k order-0 -c DefaultCluster', masks: PLACES },
      '-t orders -k no-such-key',
      '-t nothing -k order-0',
    ],
  },
  {
    name: 'queryMsgByUniqueKey',
    runs: [
      { args: '-t orders -i {id0}', masks: PLACES },
      { args: '-t orders -i {id0} -a', masks: PLACES },
      { args: '-t orders -i {id0} -s {start} -e {end} -c DefaultCluster', masks: PLACES },
      '-t orders -i 7F0000010000000000000000000000FF',
    ],
  },
  {
    name: 'queryMsgByOffset',
    runs: [
      { args: '-t orders -b broker-a -i 0 -o 0', masks: PLACES },
      { args: '-t orders -b broker-a -i 0 -o 1000' },
      '-t orders -b no-broker -i 0 -o 0',
    ],
  },
  {
    name: 'queryMsgTraceById',
    runs: [
      { args: '-i {id0}', settles: /success/ },
      '-i {id0} -t RMQ_SYS_TRACE_TOPIC -c 1',
      '-i 7F0000010000000000000000000000FF',
    ],
  },
  {
    name: 'queryCq',
    runs: [
      { args: '-t orders -q 0 -i 0 -c 3 -b {broker}', masks: PLACES },
      { args: '-t orders -q 0 -i 0 -c 2 -b {broker} -g workers', masks: PLACES },
      '-t orders -q 9 -i 0 -c 3 -b {broker}',
      '-t nothing -q 0 -i 0 -c 3 -b {broker}',
    ],
  },
  {
    name: 'printMsg',
    runs: [
      { args: '-t orders -d true', unordered: true, masks: PLACES },
      { args: '-t orders -s red -d false', unordered: true, masks: PLACES },
      { args: '-t orders -b 2020-01-01#00:00:00:000 -e 2020-01-02#00:00:00:000' },
    ],
  },
  {
    name: 'printMsgByQueue',
    runs: [
      { args: '-t orders -a broker-a -i 0 -p true -d true -f true', masks: PLACES },
      { args: '-t orders -a broker-a -i 1 -s red -f true', masks: PLACES },
    ],
  },
  {
    name: 'consumeMessage',
    runs: [
      { args: '-t orders -c 3 -b broker-a -i 0', masks: PLACES },
      { args: '-t orders -b broker-a -i 1 -o 8 -g workers', masks: PLACES },
      { args: '-t orders -b broker-a -i 2' },
    ],
  },
  { name: 'sendMsgStatus', runs: ['-b broker-a -s 10 -c 3'] },
  {
    name: 'checkMsgSendRT',
    runs: [{ args: '-t fifo -a 3 -s 10', masks: [[/(true\s+)\d+$/gm, '$1<span>']] }],
  },
  { name: 'clusterRT', runs: [{ args: '-a 3 -s 10 -i 60', until: 'DefaultCluster' }] },
  {
    name: 'dumpCompactionLog',
    before: (scene) => scene.firstRecord('one-record'),
    runs: [
      { args: '', about: 'without a file' },
      '-f {dir}/missing',
      { args: '-f {dir}/one-record', about: 'the first message of the log', masks: PLACES },
    ],
  },
];
