/** Open files: brokers may have as many as RocketMQ's `os.sh` wants, where the system allows it. */
import { execFileSync } from 'node:child_process';

const RAISE = 'ulimit -n 655350 2>/dev/null';

/** The same command with a raised limit; the process id stays that of the shell that becomes it. */
export function withManyFiles(command: string, args: string[]): { command: string; args: string[] } {
  return { command: 'sh', args: ['-c', `${RAISE}; exec "$0" "$@"`, command, ...args] };
}

/** What a broker really gets. */
export function descriptorLimit(): number {
  const text = execFileSync('sh', ['-c', `${RAISE}; ulimit -n`], { encoding: 'utf8' }).trim();
  return text === 'unlimited' ? Number.POSITIVE_INFINITY : Number(text);
}
