// The three client lines under test behind one function each: same programs, same arguments, same events.

import { goBinary } from './go.ts';
import { type ClientLine, classPath, java, sharedClasses } from './jvm.ts';
import { temporaryFolder } from './paths.ts';
import { Program, type ProgramOptions } from './program.ts';

export type Args = Readonly<Record<string, string | number | boolean>>;

export interface Kit {
  readonly name: string;
  start(program: string, args: Args, options?: ProgramOptions): Program;
}

/** `properties`: further options of the JVM. */
export function javaKit(line: ClientLine, ...properties: readonly string[]): Kit {
  return {
    name: `Java ${line}`,
    start(program, args, where) {
      const home = temporaryFolder('client'); // the client keeps logs and broadcast offsets under user.home
      const options = [
        '-Xmx256m',
        '-XX:+UseSerialGC',
        '-XX:TieredStopAtLevel=1',
        sharedClasses(line),
        '-Djava.net.preferIPv4Stack=true', // else the client makes its ids of whatever IPv6 address the machine has
        `-Duser.home=${home}`,
        '-Drocketmq.client.logLevel=WARN',
        '-Dfile.encoding=UTF-8',
        ...properties,
      ];
      const main = ['-cp', classPath(line), `interop.${program}`];
      return new Program(`${program} (Java ${line})`, java(), [...options, ...main, ...flags(args)], where);
    },
  };
}

export const java55 = javaKit('5.5');
/** The same client with RocketMQ's binary headers instead of JSON. */
export const java55Binary = javaKit('5.5', '-Drocketmq.serialize.type=ROCKETMQ');
export const java49 = javaKit('4.9');

function goKit(name: string, secure: boolean): Kit {
  return {
    name,
    start(program, args, where) {
      const env = { HOME: temporaryFolder('client'), ROCKETMQ_GO_LOG_LEVEL: 'error', ...where?.env };
      const words = [program, ...flags(args)];
      return new Program(`${program} (${name})`, goBinary(secure), words, { ...where, env });
    },
  };
}

export const go2 = goKit('Go v2', false);
/** Its development version, which knows `--tls true`. */
export const go2Tls = goKit('Go v2 with TLS', true);

/** The same programs, each with further arguments. */
export function withArgs(kit: Kit, more: Args): Kit {
  return { name: kit.name, start: (program, args, where) => kit.start(program, { ...args, ...more }, where) };
}

function flags(args: Args): string[] {
  return Object.entries(args).flatMap(([name, value]) => [`--${name}`, String(value)]);
}
