/** docs/configuration.md, made from the table of keys so that it cannot disagree with it. */
import { wrapped } from '../lib/wrapped.ts';
import { keyGroups } from './broker-keys.ts';
import { instead } from './instead.ts';
import { type BrokerValues, type Key, readValue } from './key.ts';
import { defaultValues } from './load.ts';
import { missingTexts } from './missing.ts';
import { nameServerGroups, nameServerKeys } from './namesrv-keys.ts';
import { keysOf } from './unsupported.ts';
import { type UnsupportedGroup, unsupportedGroups } from './unsupported-keys.ts';

const WIDTH = 118;

const MISSING = wrapped(missingTexts.join(', '), WIDTH);

const INTRODUCTION = `# Configuration

This page is made from the table of keys in \`src/config\`; \`node dist/src/config/write-document.js\` writes it.

A broker takes RocketMQ's own \`broker.conf\` (\`-c broker.conf\`): Java properties with RocketMQ's names,
units and defaults. Keys that only RingMQ has begin with \`ringmq.\`. The command line wins over the file,
the file over the defaults. \`-p\` prints what the configuration comes to and ends.

| option | key |
|---|---|
| \`-n\`, \`--namesrv ADDRESS[;ADDRESS]\` | \`namesrvAddr\` |
| \`--port N\` | \`listenPort\` |
| \`--host ADDRESS\` | \`bindAddress\` |
| \`--store DIR\` | \`storePathRootDir\` |
| \`--network-threads N\` | \`ringmq.networkThreads\` |

With nothing configured, everything listens on 127.0.0.1 only. \`--host 0.0.0.0\`, \`bindAddress\`, or a
\`brokerIP1\` that other machines can reach opens it to the network. There are no users and no rights:
whoever reaches a port may do everything. The log says at the start what is listened on.

\`brokerIP1\`, \`bindAddress\`, \`--host\` and \`namesrvAddr\` take IPv4 and IPv6 addresses and host names.
\`brokerIP1\` is told to clients as it is written and looked up once, at the start, for the ids of messages; name
servers are looked up at each connection. An IPv6 address in \`namesrvAddr\` has brackets: \`[::1]:9876\`.

\`standalone\` registers with its own name server and with those of \`-n\` and \`namesrvAddr\`; it does not
look at the environment variable NAMESRV_ADDR, which \`broker\` obeys. \`namesrv -c namesrv.conf\` takes
\`listenPort\`, \`bindAddress\`, \`kvConfigPath\` and the switches that \`namesrv -p\` prints.

A value that is not possible ends the start with a sentence. A key without effect is named in a warning,
unless it only repeats RocketMQ's default. A name that no key has is told with the nearest one that there is. When
that one guards something ("guards" below) and the line would change what holds, the start ends.

Files are in UTF-8, with or without a byte order mark. In paths, those of \`--store\`, \`~\`, \`$HOME\`,
\`\${HOME}\` and \`\${user.home}\` are replaced at the beginning; any other variable is refused. As everywhere in Java
properties, a backslash is written twice.

The log goes to stderr, as text to a terminal and as JSON elsewhere; [logging.md](logging.md) has its events
and the variables RINGMQ_LOG_FORMAT and RINGMQ_LOG_LEVEL.

## What RingMQ does not have

These keys ask for access control, an election of masters, copies that RingMQ cannot make or messages kept
elsewhere. RingMQ has none of it, so a line with such a value ends the start:

${MISSING}.

So does a line with any value but \`false\` whose key no RocketMQ has and whose name holds \`acl\`, \`auth\`, \`tls\`,
\`ssl\`, \`dleger\`, \`dledger\`, \`replica\` or \`slave\` as a word, like \`enableAcl\` and \`useSSL\`.

\`ringmq.allowMissing=aclEnable,enableControllerMode\` (names of keys, separated by commas) starts without it all the
same: the lines then have no effect, and warnings say so.

## Keys

"live" = \`mqadmin updateBrokerConfig\` changes it while the broker runs; the change is written into the
file given with \`-c\`, whose comments and order stay. Other keys take effect at the next start. "guards": see above.
`;

const UNSUPPORTED = `
## RocketMQ's keys without effect

With RocketMQ 5.5.0's defaults. \`mapedFileSizeCommitLog\` and \`mapedFileSizeConsumeQueue\`, as the keys were
called before RocketMQ 4.5, are taken with a warning; \`mapedFileSizeConsumeQueue=300000\`, the default in entries that
many guides give, is not taken for a number of bytes. \`storePathConsumeQueue\`, \`storePathIndex\`,
\`storeCheckpoint\` and \`abortFile\`, which no RocketMQ reads, may name the places that follow from
\`storePathRootDir\`; others are told in a warning.
`;

const INSTEAD = `
### What holds instead

| key | instead |
|---|---|
`;

const NAME_SERVER = `
## namesrv.conf

The name server obeys these keys; \`namesrv -p\` prints their values.

`;

export function configurationDocument(): string {
  const values = defaultValues();
  let text = INTRODUCTION;
  for (const { title, keys } of keyGroups) {
    text += `\n### ${title}\n\n| key | default | allowed | | meaning |\n|---|---|---|---|---|\n`;
    for (const key of keys) text += row(key, values);
  }
  text += UNSUPPORTED;
  for (const group of unsupportedGroups) text += groupText(group);
  text += INSTEAD;
  const shown = unsupportedGroups.flatMap(keysOf).filter(({ name }) => Object.hasOwn(instead, name));
  for (const { name, why } of shown) text += `| \`${name}\` | ${why} |\n`;
  text += NAME_SERVER;
  for (const name of nameServerKeys) text += `- \`${name}\`\n`;
  for (const group of nameServerGroups) text += groupText(group);
  return text;
}

function groupText(group: UnsupportedGroup): string {
  const names = keysOf(group).map((key) => (key.default ? `${key.name} (${key.default})` : key.name));
  return `\n**${group.title}**: ${group.why}.\n${wrapped(names.join(', '), WIDTH)}.\n`;
}

function row(key: Key, values: BrokerValues): string {
  const value = String(readValue(values, key));
  const standard = key.defaultText ?? (value === '' ? '' : `\`${value}\``);
  const notes = [...(key.changeable ? ['live'] : []), ...(key.guards === undefined ? [] : ['guards'])];
  const cells = [`\`${key.name}\``, standard, key.allowed, notes.join(', '), key.meaning];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
}
