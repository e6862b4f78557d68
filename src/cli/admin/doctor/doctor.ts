/** `ringmq doctor`: looks at the machine and the cluster, and says what to change and why. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { ExitCode } from '../../exit-codes.ts';
import { examples, numberOf, online } from '../online.ts';
import { counted, note, print, printJson } from '../output.ts';
import type { Servers } from '../servers.ts';
import { existingFolder, fileSystemFinding, spaceFinding, syncFindingOf } from './disk.ts';
import type { Finding, Level } from './finding.ts';
import {
  ClockWatch,
  descriptorFinding,
  kernelFinding,
  mapFinding,
  memoryFinding,
  nodeFinding,
  syncFinding,
} from './machine.ts';
import { clusterFindings, portFinding } from './network.ts';

const BROKER_PORT = '10911';
const NAME_SERVER_PORT = '9876';

interface DoctorFlags {
  store?: string;
  port?: string;
  namesrvPort?: string;
}

const MARKS: Readonly<Record<Level, string>> = { ok: 'ok  ', poor: 'POOR', bad: 'BAD ', unknown: '?   ' };

export function doctorCommand(command: Command): void {
  command
    .option('--store <directory>', 'directory of the store (default: ~/store)')
    .option('--port <number>', "the broker's port (default: 10911)")
    .option('--namesrv-port <number>', "the name server's port (default: 9876)");
  online<DoctorFlags>(command, async (servers, _args, flags) => {
    const findings = await examine(servers, flags);
    const count = (level: Level) => findings.filter((finding) => finding.level === level).length;
    const isBad = count('bad') > 0;
    if (flags.json === true) await printJson({ ok: !isBad, findings });
    else {
      await tell(findings);
      await print(
        `\n${counted(findings.length, 'thing')} looked at: ${count('bad')} bad, ${count('poor')} poor.`,
      );
    }
    process.exitCode = isBad ? ExitCode.FAILED : ExitCode.DONE;
  });
  examples(command, 'doctor', 'doctor --store /var/lib/ringmq -n 10.0.0.1:9876');
  command.addHelpText(
    'after',
    '\nRun it on the machine of the broker, as the user who starts it; on that of a client, it tells whether the\nbrokers are reached from there. Exit code 1 when something is bad.',
  );
}

async function examine(servers: Servers, flags: DoctorFlags): Promise<Finding[]> {
  const watch = new ClockWatch();
  const store = existingFolder(resolve(flags.store ?? join(homedir(), 'store')));
  const port = numberOf('port', flags.port ?? BROKER_PORT, 1, 65_535);
  const namesrvPort = numberOf('namesrv-port', flags.namesrvPort ?? NAME_SERVER_PORT, 1, 65_535);
  if (process.stderr.isTTY === true) note('Looking around; the disk is tried for two seconds at most.');
  return [
    nodeFinding(),
    kernelFinding(),
    descriptorFinding(),
    mapFinding(),
    memoryFinding(),
    fileSystemFinding(store),
    spaceFinding(store),
    syncFindingOf(store),
    syncFinding(),
    watch.finding(),
    await portFinding(servers, "broker's port", port),
    await portFinding(servers, "name server's port", namesrvPort),
    ...(await clusterFindings(servers)),
  ];
}

async function tell(findings: readonly Finding[]): Promise<void> {
  const width = Math.max(...findings.map(({ what }) => what.length));
  for (const { what, level, found, remedy } of findings) {
    await print(`${MARKS[level]}  ${what.padEnd(width)}  ${found}`);
    if (remedy !== '') await print(`      ${' '.repeat(width)}  -> ${remedy}`);
  }
}
