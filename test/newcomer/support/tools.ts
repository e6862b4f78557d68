// The programs that pages call, as executable files in front of the search path: the real ones with free ports and
// folders of their own.

import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { classPath, java, serverClassPath } from '../../interop/support/jvm.ts';
import { tool } from '../../interop/support/tools.ts';

export interface Ports {
  readonly nameServer: number;
  readonly broker: number;
}

export interface ToolSetting {
  /** Where the programs go. */
  readonly bin: string;
  readonly clone: string;
  readonly home: string;
  /** Stands for `/` where pages name /etc, /var and the like. */
  readonly root: string;
  readonly ports: Ports;
}

/** Makes all programs; of Java only where a page wants it, as Maven may have to resolve its jars first. */
export function makeTools(setting: ToolSetting, wants: { java: boolean }): void {
  mkdirSync(setting.bin, { recursive: true });
  const make = (name: string, lines: readonly string[]): void => {
    const path = join(setting.bin, name);
    writeFileSync(path, `#!/bin/bash\n${lines.join('\n')}\n`);
    chmodSync(path, 0o755);
  };
  make('ringmq', ringmq(setting));
  make('npm', npm(setting));
  make('apt-get', aptGet());
  make('sudo', ['exec "$@"']);
  make('systemctl', program('systemctl.js', setting));
  make('journalctl', [`cat ${setting.root}/journal`]);
  if (!isThere('systemd-analyze'))
    make('systemd-analyze', ['echo "no systemd on this machine: not checked"']);
  if (!wants.java) return;
  make('mqadmin', mqadmin(setting));
  make('mqnamesrv', server(setting, 'namesrv'));
  make('mqbroker', server(setting, 'broker'));
  make('mqshutdown', [
    `pid=$(cat ${setting.root}/$1.pid) && kill $pid && tail --pid=$pid -f /dev/null && rm ${setting.root}/$1.pid`,
  ]);
}

/** The package's command, on the ports of this page. */
function ringmq({ clone, ports }: ToolSetting): string[] {
  const { bin } = JSON.parse(readFileSync(join(clone, 'package.json'), 'utf8')) as {
    bin: { ringmq: string };
  };
  return [...onPorts(ports), `exec node ${join(clone, bin.ringmq)} "$@"`];
}

/** Adds ports to the arguments of a call that names none. */
function onPorts(ports: Ports): string[] {
  const given = (option: string, command: string, port: number): string =>
    `case "$1 $2" in ${command}) case " $* " in *" ${option} "*);; *) set -- "$@" ${option} ${port};; esac;; esac`;
  return [
    given('--port', '"standalone "*|"broker "*', ports.broker),
    given('--namesrv-port', '"standalone "*', ports.nameServer),
    given('--port', '"namesrv "*', ports.nameServer),
    given('--base-port', '"cluster start"', ports.nameServer),
    `export NAMESRV_ADDR="\${NAMESRV_ADDR:-127.0.0.1:${ports.nameServer}}"`,
  ];
}

/** The real npm; `npm start` and `npm run ringmq -- …` on the ports of this page. */
function npm({ ports }: ToolSetting): string[] {
  const real = tool('npm', 'it comes with Node.js');
  const options = `--port ${ports.broker} --namesrv-port ${ports.nameServer}`;
  return [
    `[ "$*" = start ] && exec ${real} start -- ${options}`,
    'case "$*" in "run ringmq -- "*|"run -s ringmq -- "*)',
    '  call=(); while [ "$1" != -- ]; do call+=("$1"); shift; done; shift',
    ...onPorts(ports),
    `  exec ${real} "\${call[@]}" -- "$@";;`,
    'esac',
    `exec ${real} "$@"`,
  ];
}

/** Nothing is installed: only that there are such packages is looked at, where a list of them is. */
function aptGet(): string[] {
  if (!isThere('apt-get')) return ['echo "no apt-get on this machine: not checked"'];
  const real = tool('apt-get', '');
  return [
    'lists=(/var/lib/apt/lists/*Packages*)',
    '[ -e "$lists" ] || { echo "no package lists on this machine: not checked"; exit; }',
    `exec ${real} --simulate "$@"`,
  ];
}

function mqadmin({ home }: ToolSetting): string[] {
  const main = 'org.apache.rocketmq.tools.command.MQAdminStartup';
  const options = `-Xmx256m -Duser.home=${home} -Drocketmq.home.dir=${home} -Djava.net.preferIPv4Stack=true`;
  // It ends with 0 whatever happens.
  return [
    `output=$(${java()} ${options} -cp ${classPath('5.5')} ${main} "$@" 2>&1); code=$?`,
    'echo "$output"',
    'case "$output" in *Exception:*) exit 1;; *) exit $code;; esac',
  ];
}

const MAINS = {
  namesrv: 'org.apache.rocketmq.namesrv.NamesrvStartup',
  broker: 'org.apache.rocketmq.broker.BrokerStartup',
};

/** A real one. What it would take for granted on a machine of its own is added to its file: ports, addresses. */
function server({ home, root, ports }: ToolSetting, name: 'namesrv' | 'broker'): string[] {
  const port = name === 'broker' ? ports.broker : ports.nameServer;
  const added = [
    `listenPort=${port}`,
    `haListenPort=${port + 1}`,
    'bindAddress=127.0.0.1',
    'brokerIP1=127.0.0.1',
  ];
  const opened = ['java.nio', 'sun.nio.ch', 'jdk.internal.ref', 'java.lang'].map(
    (part) => `--add-opens java.base/${part}=ALL-UNNAMED`,
  );
  const folders = `-Duser.home=${home} -Drocketmq.home.dir=${home}`;
  return [
    `conf=${root}/${name}.conf`,
    'rest=()',
    ': > $conf',
    'while [ $# -gt 0 ]; do case "$1" in -c) cat "$2" > $conf; shift;; *) rest+=("$1");; esac; shift; done',
    ...added.map(
      (line) => `grep -q '^${line.slice(0, line.indexOf('='))}=' $conf || echo '${line}' >> $conf`,
    ),
    `echo $$ > ${root}/${name}.pid`,
    `export ROCKETMQ_HOME=${home}`,
    `exec ${java()} -Xms512m -Xmx1g ${opened.join(' ')} ${folders} -cp ${serverClassPath()} ${MAINS[name]} -c $conf "\${rest[@]}"`,
  ];
}

function program(file: string, { root, bin }: ToolSetting): string[] {
  return [
    `PAGES_ROOT=${root} PAGES_BIN=${bin} exec node ${fileURLToPath(new URL(file, import.meta.url))} "$@"`,
  ];
}

function isThere(name: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, name)));
}
