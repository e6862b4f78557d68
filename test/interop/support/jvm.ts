// The Java side of the tests: finds the tools, resolves and compiles each client line once, starts programs.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { alone } from './alone.ts';
import { cache, interop } from './paths.ts';
import { tool } from './tools.ts';

export type ClientLine = '5.5' | '4.9';

const RESOLVE = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:build-classpath';
const BUILD_TIMEOUT = 600_000;
/** Uses most of a client, so that its classes can be kept. */
const WARM = 'interop.Warm';
const APT = 'apt-get install -y default-jdk-headless maven';

export function java(): string {
  return tool('java', APT);
}

/** The class path of a client line: its jars and our programs. */
export function classPath(line: ClientLine): string {
  return build(`line-${line}`, sourcesIn('.', `line-${line}`), WARM);
}

/** The option with which the JVM maps a line's classes as they were after loading: half of a short run is loading. */
export function sharedClasses(line: ClientLine): string {
  return `-XX:SharedArchiveFile=${archiveIn(folderOf(`line-${line}`))}`;
}

/** The class path of the real name server and broker. */
export function serverClassPath(): string {
  return build('server-5.5', []);
}

/** The class path of RocketMQ's gRPC proxy. */
export function proxyClassPath(): string {
  return build('proxy-5.5', []);
}

/** The class path of the gRPC client and the program on it, which shares what does not touch a client. */
export function grpcClassPath(): string {
  const shared = ['Args', 'Dialogue', 'Out', 'Stdin'].map((name) =>
    join(interop, 'java', 'src', 'interop', `${name}.java`),
  );
  return build('grpc-5.2', [...sourcesIn('grpc-5.2'), ...shared]);
}

/** The class path of RocketMQ's SQL92 filter and the program that asks it. */
export function filterClassPath(): string {
  return build('filter-5.5', sourcesIn('filter-5.5'));
}

function sourcesIn(...projects: readonly string[]): string[] {
  const folders = projects.map((project) => join(interop, 'java', project, 'src', 'interop'));
  return folders.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name))).sort();
}

/** Resolves and compiles when the sources have changed or a jar has gone; otherwise no tool is started. */
function build(project: string, sources: readonly string[], warm?: string): string {
  return alone(() => prepare(project, sources, warm));
}

function prepare(project: string, sources: readonly string[], warm?: string): string {
  const pom = join(interop, 'java', project, 'pom.xml');
  const stamp = hash([pom, ...sources]);
  const folder = folderOf(project);
  const programs = join(folder, 'programs.jar');
  const stampFile = join(folder, 'stamp');
  const pathFile = join(folder, 'class-path');
  if (!existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== stamp || !complete(pathFile)) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    console.error(`interop: preparing ${project} (Maven resolves its jars once)`);
    run('mvn', ['-q', '-B', '-f', pom, RESOLVE, `-Dmdep.outputFile=${pathFile}`]);
    const jars = readFileSync(pathFile, 'utf8').trim();
    if (sources.length > 0) compile(sources, jars, programs);
    if (warm)
      run('java', [
        `-XX:ArchiveClassesAtExit=${archiveIn(folder)}`,
        '-cp',
        `${programs}${delimiter}${jars}`,
        warm,
      ]);
    writeFileSync(stampFile, stamp);
  }
  return [programs, readFileSync(pathFile, 'utf8').trim()].join(delimiter);
}

/** Into a jar, as the JVM shares no classes of folders. */
function compile(sources: readonly string[], jars: string, programs: string): void {
  const classes = `${programs}.classes`;
  const options = ['--release', '17', '-encoding', 'UTF-8', '-nowarn', '-cp', jars, '-d', classes];
  run('javac', [...options, ...sources]);
  run('jar', ['--create', '--file', programs, '-C', classes, '.']);
}

function folderOf(project: string): string {
  return join(cache, `java-${project}`);
}

function archiveIn(folder: string): string {
  return join(folder, 'classes.jsa');
}

function complete(pathFile: string): boolean {
  return existsSync(pathFile) && readFileSync(pathFile, 'utf8').trim().split(delimiter).every(existsSync);
}

function hash(files: readonly string[]): string {
  const sum = createHash('sha256');
  for (const file of files) sum.update(file.slice(interop.length)).update(readFileSync(file));
  return sum.digest('hex');
}

function run(name: string, args: readonly string[]): void {
  const result = spawnSync(tool(name, APT), args, { encoding: 'utf8', timeout: BUILD_TIMEOUT });
  if (result.status !== 0) throw new Error(`${name} failed:\n${result.stdout}\n${result.stderr}`);
}
