#!/usr/bin/env node
/** The command line. Each command's code is loaded when it is chosen, so that all of them start fast. */
import { Command } from 'commander';
import { isWrongUse } from '../lib/user-error.ts';
import { VERSION } from '../lib/version.ts';
import { visibleText } from '../lib/visible.ts';
import { ADMIN_COMMANDS, chosenAdminCommand, PLAY_BROKER_COMMAND, WORDS_COMMAND } from './admin-commands.ts';
import { ExitCode } from './exit-codes.ts';
import { explain } from './explain.ts';

const program = new Command('ringmq')
  .description('A RocketMQ-compatible message broker')
  .version(VERSION, '-V, --version', 'print the version')
  .showHelpAfterError()
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? ExitCode.DONE : ExitCode.WRONG_USE));

function brokerOptions(command: Command): Command {
  return command
    .option('-c, --config <file>', "broker.conf with RocketMQ's keys")
    .option('-n, --namesrv <addresses>', 'name servers to register with, host:port, separated by ;')
    .option('--port <number>', "the broker's port, 0 = any free one (default: 10911)")
    .option('--store <directory>', 'directory of the store (default: ~/store)')
    .option('--host <address>', 'address or name to listen on (default: 127.0.0.1)')
    .option('--network-threads <number>', 'threads that serve sockets')
    .option('-p, --print-config', 'print the configuration and end');
}

brokerOptions(program.command('standalone').description('name server and broker in one process'))
  .option('--namesrv-port <number>', "the name server's port, 0 = any free one (default: 9876)")
  .action(async (flags) => (await import('./run-standalone.ts')).runStandalone(flags));

brokerOptions(program.command('broker').description('a broker alone')).action(async (flags) =>
  (await import('./run-broker.ts')).runBroker(flags),
);

program
  .command('namesrv')
  .description('a name server alone')
  .option('-c, --config <file>', "namesrv.conf with RocketMQ's keys")
  .option('--port <number>', 'port, 0 = any free one (default: 9876)')
  .option('--host <address>', 'address or name to listen on (default: 127.0.0.1)')
  .option('-p, --print-config', 'print the configuration and end')
  .action(async (flags) => (await import('./run-namesrv.ts')).runNameServer(flags));

program
  .command('health')
  .description('ask a broker or name server whether it serves; exit code 0 when it does')
  .argument('[address]', 'where it listens, host:port', '127.0.0.1:10911')
  .option('--tls', 'by TLS, whatever its certificate says')
  .action(async (address, flags) => (await import('./run-health.ts')).runHealth(address, flags));

program
  .command('play')
  .description(
    'a broker with tiny files to play with: see it work, kill it, tear its files, watch it recover',
  )
  .option(
    '--script <actions>',
    'do these, separated by commas, and print the picture after each; "help" lists them',
  )
  .option('--store <directory>', 'keep its files in this directory (default: a temporary one)')
  .option('--sync-flush', 'answer a send when its message is on the disk (default: ASYNC_FLUSH)')
  .addHelpText(
    'after',
    '\nExamples:\n  $ ringmq play\n  $ ringmq play --script "send 10, wait 1s, kill, tear, restart, status, quit"',
  )
  .action(async (flags) => (await import('./play/run-play.ts')).runPlay(flags));

brokerOptions(program.command(PLAY_BROKER_COMMAND, { hidden: true }))
  .option('--namesrv-port <number>')
  .action(async (flags) => {
    const { letThreadsDie } = await import('./play/mortal-threads.ts');
    await (await import('./run-standalone.ts')).runStandalone(flags, letThreadsDie);
  });

const log = program.command('log').description('look into the files of a store');

function logOptions(command: Command): Command {
  return command
    .option('--commitlog <directory>', 'the CommitLog, when it is not <directory>/commitlog')
    .option('--index-slots <number>', "the store's maxHashSlotNum, when the index files do not tell");
}

logOptions(
  log
    .command('dump')
    .description('print what the files hold, or explain it')
    .argument('<directory>', 'root directory of the store, or one of its files'),
)
  .option('--file <file>', 'only this file')
  .option('--topic <name>', 'only the ConsumeQueues of this topic')
  .option('--queue <number>', 'only the ConsumeQueues with this number')
  .option('--from <offset>', 'position in the log, queue offset or index entry to begin at')
  .option('--limit <number>', 'pieces of each file, 0 = all (default: 10)')
  .option('--json', 'one JSON object per line')
  .option('--hex', 'the bytes too')
  .option('--explain', 'layout, every byte and what it is for; exit code 1 when something is wrong')
  .option('--at <position>', 'explain one message: position in the log, or message id')
  .action(async (directory, flags) => (await import('./log/run-log.ts')).runDump(directory, flags));

logOptions(
  log
    .command('check')
    .description('verify the files; exit code 1 when something is wrong')
    .argument('<directory>', 'root directory of the store'),
)
  .option('--explain', 'what each check looks at, and why')
  .option('--json', 'one JSON object per line')
  .action(async (directory, flags) => (await import('./log/run-log.ts')).runCheck(directory, flags));

program
  .command('trace')
  .description('follow one message: its bytes in every step, and what each thread did when')
  .option('-n, --namesrv <addresses>', 'send it to a running broker (default: to one of its own)')
  .option('--broker <name>', 'which of the brokers behind -n (default: the first that has the topic)')
  .option('--queue <number>', 'into this queue there')
  .option('--tls', 'talk by TLS, whatever the certificates say')
  .option('-c, --config <file>', 'broker.conf for the broker of its own')
  .option('--flush <mode>', 'of the broker of its own: async or sync')
  .option(
    '--store <directory>',
    'where the broker keeps its store (default: one of its own, removed at the end)',
  )
  .option('--commitlog <directory>', 'the CommitLog, when it is not <directory>/commitlog')
  .option('--topic <name>', 'where it goes (default: TraceTopic)')
  .option('--group <name>', 'who consumes it')
  .option('-m, --message <text>', 'the message')
  .option('--key <key>', 'a key to find it by')
  .option('--tag <tag>', 'its tag')
  .option('--header <format>', 'of the frames: json (default) or rocketmq')
  .option('--batch <number>', 'so many messages in one send')
  .option('--delay-level <number>', 'with a delay level, 1 to 18')
  .option('--delay <span>', 'to be delivered after 3s, 1m, …, by the timing wheel')
  .option('--retry', 'its consumer gives it back once')
  .option('--warm <number>', 'messages sent before, to a broker of its own (default: 100)')
  .option('--message-id <id>', 'explain a message that is stored: by the id that its broker gave it')
  .option('--unique-key <key>', 'the same by the unique key that its producer gave it')
  .option('--html <file>', 'write a page too, with a timeline')
  .option('--json', 'print JSON')
  .option('--brief', 'without the bytes')
  .action(async (flags) => (await import('./trace/run-trace.ts')).runTrace(flags));

async function run(): Promise<void> {
  const chosen = chosenAdminCommand(process.argv.slice(2));
  for (const [name, description] of Object.entries(ADMIN_COMMANDS)) {
    const command = program.command(name).description(description);
    if (name === chosen) (await import('./admin/admin.ts')).fillCommand(chosen, command);
  }
  program
    .command(WORDS_COMMAND, { hidden: true })
    .argument('[word...]')
    .action(async (words) => (await import('./admin/admin.ts')).printWords(program, words));
  await program.parseAsync();
}

run().catch((error: unknown) => {
  process.stderr.write(`${visibleText(explain(error))}\n`);
  process.exit(isWrongUse(error) ? ExitCode.WRONG_USE : ExitCode.FAILED);
});
