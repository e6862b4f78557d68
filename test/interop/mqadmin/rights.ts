// mqadmin's commands for users and rights.

import type { Command } from './command.ts';

const RIGHT = '-s User:alice -r Topic:orders -a Pub,Sub -d Allow';

const RIGHTS_MISSING = 'there are no users and no access rules';

export const RIGHTS: readonly Command[] = [
  {
    name: 'createUser',
    unsupported: RIGHTS_MISSING,
    runs: ['-b {broker} -u alice -p secret', '-c DefaultCluster -u bob -p secret -t Super'],
  },
  {
    name: 'updateUser',
    unsupported: RIGHTS_MISSING,
    runs: ['-b {broker} -u alice -p other', '-c DefaultCluster -u nobody -s disable'],
  },
  {
    name: 'getUser',
    unsupported: RIGHTS_MISSING,
    runs: ['-b {broker} -u alice', '-c DefaultCluster -u nobody'],
  },
  { name: 'listUser', unsupported: RIGHTS_MISSING, runs: ['-b {broker}', '-c DefaultCluster -f al'] },
  {
    name: 'copyUser',
    unsupported: RIGHTS_MISSING,
    runs: ['-f {broker} -t {broker}', '-f {broker} -t {broker} -u alice'],
  },
  {
    name: 'createAcl',
    unsupported: RIGHTS_MISSING,
    runs: [`-b {broker} ${RIGHT}`, `-c DefaultCluster ${RIGHT} -i 10.0.0.0/8`],
  },
  {
    name: 'updateAcl',
    unsupported: RIGHTS_MISSING,
    runs: [`-b {broker} ${RIGHT}`, `-c DefaultCluster ${RIGHT}`],
  },
  {
    name: 'getAcl',
    unsupported: RIGHTS_MISSING,
    runs: ['-b {broker} -s User:alice', '-c DefaultCluster -s User:nobody'],
  },
  { name: 'listAcl', unsupported: RIGHTS_MISSING, runs: ['-b {broker}', '-c DefaultCluster -s User:alice'] },
  {
    name: 'copyAcl',
    unsupported: RIGHTS_MISSING,
    runs: ['-f {broker} -t {broker}', '-f {broker} -t {broker} -s User:alice'],
  },
  {
    name: 'deleteAcl',
    unsupported: RIGHTS_MISSING,
    runs: ['-b {broker} -s User:alice', '-c DefaultCluster -s User:nobody'],
  },
  {
    name: 'deleteUser',
    unsupported: RIGHTS_MISSING,
    runs: ['-b {broker} -u alice', '-c DefaultCluster -u bob'],
  },
];
