// Our broker as a process of its own, started through the command line, and a plain client for it.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RequestCode, ResponseCode } from '../../src/protocol/codes.ts';
import { type RemotingCommand, requestCommand } from '../../src/protocol/command.ts';
import { decodeRecord, type StoredMessage } from '../../src/record/decode.ts';
import { encodeProperties } from '../../src/record/properties.ts';
import type { CommandClient } from '../../src/remoting/command-client.ts';
import { until } from './sockets-rig.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const READY_MS = 30_000;

export function temporaryStore(): { directory: string; remove: () => void } {
  const directory = mkdtempSync(join(tmpdir(), 'ringmq-test-'));
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) };
}

export interface BrokerProcess {
  readonly child: ChildProcess;
  /** '' for a lone broker. */
  readonly nameServer: string;
  readonly broker: string;
  /** Everything it has said on stderr. */
  log(): string;
  /** Resolves with the exit code, or the signal's name. */
  readonly ended: Promise<number | string>;
}

export interface Surroundings {
  env?: Record<string, string>;
  /** How many the process may have open. */
  descriptors?: number;
  /** Megabytes of a file system that the process alone sees, in the place of this directory. */
  smallDisk?: { directory: string; megabytes: number };
}

/** What runs a shell script that may mount; it becomes what the script becomes. */
const MAY_MOUNT = ['unshare', '--user', '--map-root-user', '--mount'];

/** Whether this system lets a process have file systems of its own. */
export function canHaveSmallDisk(): boolean {
  const [unshare = '', ...flags] = MAY_MOUNT;
  const script = 'mount -t tmpfs -o size=1m tmpfs /mnt';
  return spawnSync(unshare, [...flags, '/bin/sh', '-c', script], { stdio: 'ignore' }).status === 0;
}

/** Starts `standalone` on free ports; rejects when it ends before it is ready. */
export function startBrokerProcess(
  store: string,
  args: readonly string[] = [],
  more: Surroundings = {},
): Promise<BrokerProcess> {
  return start(['standalone', '--port', '0', '--namesrv-port', '0', '--store', store, ...args], more);
}

/** Starts `broker` on a free port; it registers with a name server that is there. */
export function startLoneBrokerProcess(
  store: string,
  nameServer: string,
  args: readonly string[] = [],
): Promise<BrokerProcess> {
  return start(['broker', '--port', '0', '-n', nameServer, '--store', store, ...args]);
}

async function start(
  args: readonly string[],
  { env = {}, descriptors, smallDisk }: Surroundings = {},
): Promise<BrokerProcess> {
  const limit = descriptors === undefined ? '' : `ulimit -n ${descriptors}; `;
  const mount =
    smallDisk === undefined
      ? ''
      : `mount -t tmpfs -o size=${smallDisk.megabytes}m tmpfs '${smallDisk.directory}' || exit; `;
  const script = ['/bin/sh', '-c', `${limit}${mount}exec "$0" "$@"`, process.execPath, MAIN, ...args];
  const [command = '', ...rest] = smallDisk === undefined ? script : [...MAY_MOUNT, ...script];
  const child = spawn(command, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let log = '';
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  const ended = new Promise<number | string>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  const ready = await new Promise<RegExpExecArray>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not ready in time:\n${log}`)), READY_MS);
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      const match = /RingMQ ready: (?:name server (\S+), )?broker (\S+), store/.exec(output);
      if (match === null) return;
      clearTimeout(timer);
      resolve(match);
    });
    void ended.then((code) => {
      clearTimeout(timer);
      reject(new Error(`ended with ${code} before it was ready:\n${log}`));
    });
  });
  return { child, nameServer: ready[1] ?? '', broker: ready[2] as string, log: () => log, ended };
}

/** A SEND_MESSAGE_V2 with these properties. */
export function sendRequest(
  topic: string,
  queueId: number,
  key: string,
  body: Uint8Array,
  properties: readonly [string, string][] = [],
): RemotingCommand {
  const all: [string, string][] = [['UNIQ_KEY', key], ['KEYS', key], ['WAIT', 'true'], ...properties];
  return requestCommand(
    RequestCode.SEND_MESSAGE_V2,
    {
      a: 'test-producers',
      b: topic,
      c: 'TBW102',
      d: '4',
      e: String(queueId),
      f: '0',
      g: '1700000000000',
      h: '0',
      i: encodeProperties(all),
      j: '0',
      k: 'false',
      m: 'false',
    },
    body,
  );
}

/** A pull with its own subscription text, so that no heartbeat is needed. Waits `suspendMs` when it is positive. */
export function pullRequest(topic: string, queueId: number, offset: number, suspendMs = 0): RemotingCommand {
  return requestCommand(RequestCode.PULL_MESSAGE, {
    consumerGroup: 'test-consumers',
    topic,
    queueId: String(queueId),
    queueOffset: String(offset),
    maxMsgNums: '32',
    sysFlag: String(4 | (suspendMs > 0 ? 2 : 0)),
    commitOffset: '0',
    suspendTimeoutMillis: String(suspendMs),
    subVersion: '0',
    subscription: '*',
    expressionType: 'TAG',
  });
}

/**
 * Until a queue holds so many: a message gets its entry a moment after its acknowledgement. A pull waits for the next
 * entry only; where more are behind it is told at once that there is no such offset.
 */
export async function untilQueueHolds(
  client: CommandClient,
  topic: string,
  queueId: number,
  count: number,
): Promise<void> {
  const pull = pullRequest(topic, queueId, count - 1, 5_000);
  const isThere = async () => (await client.request(pull, 10_000)).code === ResponseCode.SUCCESS;
  await until(`queue ${queueId} of ${topic} holds ${count}`, isThere);
}

/** Unique keys of all messages of a queue, by queue offset. */
export async function readQueue(client: CommandClient, topic: string, queueId: number): Promise<string[]> {
  const records = await readRecords(client, topic, queueId);
  return records.map((record) => record?.properties.get('UNIQ_KEY') ?? '');
}

/** All messages of a queue, by queue offset; undefined for bytes that are no record. None where there is no topic. */
export async function readRecords(
  client: CommandClient,
  topic: string,
  queueId: number,
): Promise<(StoredMessage | undefined)[]> {
  const records: (StoredMessage | undefined)[] = [];
  for (;;) {
    const reply = await client.request(pullRequest(topic, queueId, records.length), 10_000);
    if (reply.code !== 0 || reply.body === undefined) return records;
    records.push(...recordsIn(reply.body));
  }
}

/** The records that an answer brings; undefined for bytes that are none. */
export function recordsIn(body: Uint8Array): (StoredMessage | undefined)[] {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const records: (StoredMessage | undefined)[] = [];
  for (let at = 0; at < body.length; at += view.getInt32(at)) {
    records.push(decodeRecord(body.subarray(at, at + view.getInt32(at))));
  }
  return records;
}
