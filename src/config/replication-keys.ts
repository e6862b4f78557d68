/** Keys of the second copy of the log: RocketMQ's names, defaults and units. */

import { UserError } from '../lib/user-error.ts';
import { BROKER_ROLES, type ReplicationOptions, waitsForSlaves } from '../replication/options.ts';
import { needsOneNetworkThread } from '../threads/engine-layout.ts';
import {
  type BrokerValues,
  choice,
  type Domain,
  type FieldsOf,
  flag,
  integer,
  type Key,
  text,
} from './key.ts';
import { setting } from './key-makers.ts';
import { isServerList, nameServerAddresses } from './server-list.ts';

const LAST_PORT = 65_535;
const MAX_INT = 0x7fffffff;
const milliseconds = integer(100, MAX_INT);

const masterAddress = text(
  'host:port',
  (given) => given === '' || (isServerList(given) && nameServerAddresses(given).join() === given),
);

function replication<V extends string | number | boolean>(
  field: FieldsOf<ReplicationOptions, V>,
  domain: Domain<V>,
  meaning: string,
  more: Pick<Partial<Key>, 'defaultText' | 'guards'> = {},
): Key {
  return { name: field, place: 'replication', field, ...domain, meaning, changeable: false, ...more };
}

export const replicationKeyList: readonly Key[] = [
  replication(
    'brokerRole',
    choice(...BROKER_ROLES),
    'ASYNC_MASTER acknowledges without its slaves, SYNC_MASTER when `inSyncReplicas` copies are there.',
    { guards: 'whether this broker is a slave' },
  ),
  replication('haListenPort', integer(0, LAST_PORT), 'Port for slaves; 0 = any free one.', {
    defaultText: 'listenPort + 1',
    guards: 'where slaves are let in',
  }),
  replication('haMasterAddress', masterAddress, "Address of the master's port for slaves (`haListenPort`).", {
    defaultText: 'what the name server says',
    guards: 'which master a slave follows',
  }),
  replication(
    'enableSlaveActingMaster',
    flag,
    'The slave with the lowest brokerId acts for a master that is away, where name servers have ' +
      '`supportActingMaster=true`.',
  ),
  setting('slaveReadEnable', flag, 'Consumers may read from a slave when its master is gone.'),
  replication(
    'inSyncReplicas',
    integer(1, 16),
    'Copies that a message must have before a SYNC_MASTER acknowledges it, its own among them.',
    {
      defaultText: '2 for a SYNC_MASTER, else 1',
      guards: 'how many copies of a message are waited for',
    },
  ),
  replication(
    'minInSyncReplicas',
    integer(1, 16),
    'Copies without which a SYNC_MASTER takes no message whose producer waits for them.',
    { guards: 'how many copies of a message there must be' },
  ),
  replication(
    'enableAutoInSyncReplicas',
    flag,
    'A SYNC_MASTER waits for as many of `inSyncReplicas` as are there, but for `minInSyncReplicas` at least.',
    { guards: 'how many copies of a message are waited for' },
  ),
  replication(
    'allAckInSyncStateSet',
    flag,
    'A SYNC_MASTER waits for all slaves that have caught up, however many they are, and for `minInSyncReplicas` copies ' +
      'at least.',
    { guards: 'how many copies of a message are waited for' },
  ),
  replication(
    'slaveTimeout',
    milliseconds,
    'Milliseconds that a SYNC_MASTER waits for its slaves: then FLUSH_SLAVE_TIMEOUT, though the message is stored.',
  ),
  replication(
    'haMaxGapNotInSync',
    integer(0, Number.MAX_SAFE_INTEGER),
    'Bytes that a slave may be behind to count. Where too few count a SYNC_MASTER answers SLAVE_NOT_AVAILABLE at ' +
      'once, though the message is stored.',
  ),
  replication(
    'haSendHeartbeatInterval',
    milliseconds,
    'Milliseconds of silence after which master or slave tells the other that it lives.',
  ),
  replication(
    'haHousekeepingInterval',
    milliseconds,
    'Milliseconds of silence after which the other side is given up.',
  ),
  replication('haTransferBatchSize', integer(1024, 1024 * 1024), 'Bytes of log that are sent together.'),
  replication('haFlowControlEnable', flag, 'Slaves are sent no more than `maxHaTransferByteInSecond`.'),
  replication(
    'maxHaTransferByteInSecond',
    integer(1024, Number.MAX_SAFE_INTEGER),
    'Bytes a second, each slave.',
  ),
];

/** Where slaves are let in, and how many are waited for. */
export function completeReplication(
  values: BrokerValues,
  set: ReadonlySet<string>,
  warnings: string[],
): void {
  const { settings, replication } = values;
  const { listenPort } = settings;
  if (!set.has('haListenPort')) {
    replication.haListenPort = listenPort === 0 || listenPort === LAST_PORT ? 0 : listenPort + 1;
  }
  checkRole(values);
  if (replication.brokerRole === 'SYNC_MASTER') completeCopies(replication, set, warnings);
  else if (COUNTS_COPIES.some((name) => set.has(name))) {
    warnings.push(`${COUNTS_COPIES.join(', ')} count under brokerRole=SYNC_MASTER alone.`);
  }
}

const COUNTS_COPIES = ['minInSyncReplicas', 'enableAutoInSyncReplicas', 'allAckInSyncStateSet'];

/** How many copies a SYNC_MASTER waits for. */
function completeCopies(replication: ReplicationOptions, set: ReadonlySet<string>, warnings: string[]): void {
  const { minInSyncReplicas: least, allAckInSyncStateSet: all } = replication;
  if (!set.has('inSyncReplicas')) replication.inSyncReplicas = Math.max(2, least);
  if (replication.inSyncReplicas < least && !all) {
    throw new UserError(
      `inSyncReplicas=${replication.inSyncReplicas} is less than minInSyncReplicas=${least}: a message waits for no ` +
        'fewer copies than must be there.',
    );
  }
  if (!waitsForSlaves(replication)) {
    warnings.push(
      'brokerRole=SYNC_MASTER with inSyncReplicas=1 waits for no slave: its own copy is the one.',
    );
  }
}

/** A slave has a number of its own, and a master has none. */
function checkRole({ settings, replication, listener }: BrokerValues): void {
  const isSlave = replication.brokerRole === 'SLAVE';
  if (isSlave && settings.brokerId === 0) {
    throw new UserError(
      'brokerRole=SLAVE needs a brokerId of its own, 1 or more; brokerName is that of its master.',
    );
  }
  if (!isSlave && settings.brokerId > 0) {
    throw new UserError(
      `brokerId=${settings.brokerId} is that of a slave, and brokerRole is ${replication.brokerRole}: a master has ` +
        'brokerId=0, and a slave brokerRole=SLAVE.',
    );
  }
  if (isSlave && needsOneNetworkThread(listener.engineLayout)) {
    throw new UserError(
      `ringmq.engineLayout=${listener.engineLayout} is not possible for a slave: choose paired or dedicated.`,
    );
  }
}
