/** RocketMQ's jars, fetched once from Maven Central by Maven into the cache. */
import fs from 'node:fs';
import path from 'node:path';
import { type RunFolder, removeFolder } from './cleanup.ts';
import { runCommand } from './run-command.ts';

export const ROCKETMQ_VERSION = '5.5.0';
const MARKER = 'complete';

function dependency(artifact: string): string {
  return `<dependency><groupId>org.apache.rocketmq</groupId><artifactId>${artifact}</artifactId><version>${ROCKETMQ_VERSION}</version></dependency>`;
}

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>ringmq.bench</groupId><artifactId>reference-broker</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    ${dependency('rocketmq-namesrv')}
    ${dependency('rocketmq-broker')}
  </dependencies>
</project>
`;

/** Whether the command can be started at all; its own exit code does not matter. */
function canStart(folder: RunFolder, command: string, args: string[]): Promise<boolean> {
  return new Promise((resolve) => {
    const child = folder.start({ command, args });
    child.once('error', () => resolve(false));
    child.once('exit', () => resolve(true));
  });
}

export async function requireJava(folder: RunFolder): Promise<void> {
  if (await canStart(folder, 'java', ['-version'])) return;
  throw new Error('Java is missing, which RocketMQ runs on: apt-get install openjdk-17-jre-headless');
}

function runMaven(folder: RunFolder, directory: string): Promise<void> {
  const args = ['-B', '-ntp', '-f', path.join(directory, 'pom.xml'), 'dependency:copy-dependencies'];
  args.push('-DincludeScope=runtime', `-DoutputDirectory=${path.join(directory, 'lib')}`);
  const complaint = `Maven could not fetch RocketMQ ${ROCKETMQ_VERSION}:`;
  return runCommand(folder, { command: 'mvn', args, cwd: directory }, complaint);
}

/** Folder with the jars of name server and broker. A fetch that was cut short leaves no half-filled folder. */
export async function fetchRocketMq(
  folder: RunFolder,
  cache: string,
  say: (line: string) => void,
): Promise<string> {
  const final = path.join(cache, `rocketmq-${ROCKETMQ_VERSION}`);
  if (fs.existsSync(path.join(final, MARKER))) return path.join(final, 'lib');
  if (!(await canStart(folder, 'mvn', ['-version']))) {
    throw new Error('Maven is missing, which fetches RocketMQ: apt-get install maven');
  }
  say(`fetching Apache RocketMQ ${ROCKETMQ_VERSION} from Maven Central (about 95 MB, once) …`);
  const partial = path.join(folder.path, 'fetch');
  fs.mkdirSync(partial, { recursive: true });
  fs.writeFileSync(path.join(partial, 'pom.xml'), POM);
  await runMaven(folder, partial);
  fs.writeFileSync(path.join(partial, MARKER), '');
  removeFolder(final);
  fs.renameSync(partial, final);
  return path.join(final, 'lib');
}
