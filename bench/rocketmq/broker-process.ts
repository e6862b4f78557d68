/** How a broker of either maker is started as a process: command line, folder, log, and how it says that it serves. */
import type { ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { RunFolder } from './cleanup.ts';
import type { Contestant } from './contestant.ts';
import { withManyFiles } from './descriptors.ts';
import { ringmqProgram } from './ringmq-program.ts';
import { logTail } from './target.ts';

export interface StartContext {
  folder: RunFolder;
  /** RocketMQ's jars. */
  lib: string;
  heap: string;
}

/** A started process, and where it prints that it serves. */
export interface ServerProcess {
  child: ChildProcess;
  log: string;
}

export const ROCKETMQ_READY = 'boot success';
export const RINGMQ_READY = 'RingMQ ready:';

const READY_MILLIS = 120_000;
const POLL_MILLIS = 100;

const ADD_OPENS = ['java.nio', 'sun.nio.ch', 'jdk.internal.ref', 'java.lang'];
/** What RocketMQ's own start script gives the broker, besides the heap. */
export const JVM_FLAGS: readonly string[] = [
  '-server',
  '-XX:+UseG1GC',
  '-XX:G1HeapRegionSize=16m',
  '-XX:G1ReservePercent=25',
  '-XX:InitiatingHeapOccupancyPercent=30',
  '-XX:SoftRefLRUPolicyMSPerMB=0',
  '-XX:-OmitStackTraceInFastThrow',
  '-XX:+AlwaysPreTouch',
  '-XX:MaxDirectMemorySize=15g',
  '-XX:-UseLargePages',
];

/** Waits until the process has printed the text; an error has the end of what it printed. */
export async function waitFor(text: string, { child, log }: ServerProcess): Promise<void> {
  const deadline = performance.now() + READY_MILLIS;
  while (!fs.readFileSync(log, 'utf8').includes(text)) {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) {
      throw new Error(`did not start\nlast output: ${logTail(log)}`);
    }
    if (performance.now() > deadline)
      throw new Error(`not ready after ${READY_MILLIS / 1000} s\nlast output: ${logTail(log)}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MILLIS));
  }
}

/**
 * A log of its own for each start, so that the last start's ready line is not taken for this one's. It exists at once.
 */
export function newLog(home: string, name: string): string {
  fs.mkdirSync(home, { recursive: true });
  const starts = fs.readdirSync(home).filter((file) => file.startsWith(`${name}-`)).length;
  const log = path.join(home, `${name}-${starts + 1}.out`);
  fs.writeFileSync(log, '');
  return log;
}

type Program = 'namesrv' | 'broker';
const STARTUPS: Record<Program, string> = {
  namesrv: 'namesrv.NamesrvStartup',
  broker: 'broker.BrokerStartup',
};

/** One of RocketMQ's programs, with the text of its settings. */
export function startJava(
  { folder, lib }: StartContext,
  program: Program,
  home: string,
  jvm: readonly string[],
  conf: string,
): ServerProcess {
  const log = newLog(home, program);
  // ROCKETMQ_HOME is empty: all settings are in the file below, the log settings are those inside the jars
  const rocketmqHome = path.join(home, 'rocketmq-home');
  fs.mkdirSync(rocketmqHome, { recursive: true });
  const file = path.join(home, `${program}.conf`);
  fs.writeFileSync(file, conf);
  const opened = ADD_OPENS.flatMap((name) => ['--add-opens', `java.base/${name}=ALL-UNNAMED`]);
  const args = [...jvm, ...opened, `-Duser.home=${home}`, '-cp', path.join(lib, '*')];
  args.push(`org.apache.rocketmq.${STARTUPS[program]}`, '-c', file);
  const env = { ...process.env, ROCKETMQ_HOME: rocketmqHome };
  return { child: folder.start({ ...withManyFiles('java', args), env, cwd: home, log }), log };
}

/** RocketMQ's broker with the heap of its contestant. */
export function startJavaBroker(
  context: StartContext,
  { heap = context.heap }: Contestant,
  home: string,
  conf: string,
): ServerProcess {
  return startJava(context, 'broker', home, [`-Xms${heap}`, `-Xmx${heap}`, ...JVM_FLAGS], conf);
}

/** RingMQ by the program of its contestant: `args` are the command and its options, besides those of the settings. */
export function startRingMq(
  { folder }: StartContext,
  { cli, program, nodeFlags = [] }: Contestant,
  home: string,
  args: readonly string[],
  conf: string,
): ServerProcess {
  const [command = '', ...first] = program ?? [process.execPath, ...nodeFlags, cli ?? ringmqProgram()];
  const log = newLog(home, 'broker');
  const file = path.join(home, 'broker.conf');
  fs.writeFileSync(file, conf);
  const all = [...first, ...args, '-c', file];
  return { child: folder.start({ ...withManyFiles(command, all), cwd: home, log }), log };
}
