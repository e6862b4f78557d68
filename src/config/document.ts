/** docs/configuration.md, made from the table of keys so that it cannot disagree with it. */
import { keyGroups } from './broker-keys.ts';
import { type BrokerValues, type Key, readValue } from './key.ts';
import { defaultValues } from './load.ts';
import { keysOf } from './unsupported.ts';
import { unsupportedGroups } from './unsupported-keys.ts';

const WIDTH = 118;

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
whoever reaches a port may do everything.

\`standalone\` registers with its own name server and with those of \`-n\` and \`namesrvAddr\`; it does not
look at the environment variable NAMESRV_ADDR, which \`broker\` obeys. \`namesrv -c namesrv.conf\` takes
\`listenPort\`, \`bindAddress\`, \`kvConfigPath\` and the switches that \`namesrv -p\` prints.

A value that is not possible ends the start with a sentence. A key without effect is named in a warning,
unless it only repeats RocketMQ's default.

The log goes to stderr, as text to a terminal and as JSON elsewhere; [logging.md](logging.md) has its events
and the variables RINGMQ_LOG_FORMAT and RINGMQ_LOG_LEVEL.

## Keys

"live" = \`mqadmin updateBrokerConfig\` changes it while the broker runs; the change is written into the
file given with \`-c\`, whose comments and order stay. Other keys take effect at the next start.
`;

const UNSUPPORTED = `
## RocketMQ's keys without effect

With RocketMQ 5.5.0's defaults.
`;

export function configurationDocument(): string {
  const values = defaultValues();
  let text = INTRODUCTION;
  for (const { title, keys } of keyGroups) {
    text += `\n### ${title}\n\n| key | default | allowed | | meaning |\n|---|---|---|---|---|\n`;
    for (const key of keys) text += row(key, values);
  }
  text += UNSUPPORTED;
  for (const group of unsupportedGroups) {
    const names = keysOf(group).map((key) => (key.default ? `${key.name} (${key.default})` : key.name));
    text += `\n**${group.title}**: ${group.why}.\n${wrapped(names.join(', '))}.\n`;
  }
  return text;
}

function row(key: Key, values: BrokerValues): string {
  const value = String(readValue(values, key));
  const standard = key.defaultText ?? (value === '' ? '' : `\`${value}\``);
  const cells = [`\`${key.name}\``, standard, key.allowed, key.changeable ? 'live' : '', key.meaning];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
}

function wrapped(text: string): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) as string;
    if (line !== '' && line.length + 1 + word.length > WIDTH) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.join('\n');
}
