/** `ringmq health`: asks a broker or name server one thing, for whoever has to know whether it serves. */
import { UserError } from '../lib/user-error.ts';
import { RequestCode, ResponseCode } from '../protocol/codes.ts';
import { requestCommand } from '../protocol/command.ts';
import { parseAddress } from '../remoting/address.ts';
import { CommandClient } from '../remoting/command-client.ts';
import type { ClientTls } from '../tls/settings.ts';
import { ExitCode } from './exit-codes.ts';

const TIMEOUT_MS = 3_000;
/** Whoever asks from the same machine need not know the certificate. */
const TRUSTING: ClientTls = { terms: {}, verifyServer: false, pem: {} };

export interface HealthFlags {
  tls?: boolean;
}

export async function runHealth(address: string, { tls }: HealthFlags): Promise<void> {
  requireAddress(address);
  const client = new CommandClient({ address, ...(tls === true ? { tls: () => TRUSTING } : {}) });
  try {
    const why = await whyNot(client);
    if (why === undefined) process.stdout.write(`${address} serves\n`);
    else process.stderr.write(`${address} does not serve: ${why}\n`);
    process.exitCode = why === undefined ? ExitCode.DONE : ExitCode.FAILED;
  } finally {
    client.close();
  }
}

/** A name server answers that it does not know the request, which it can only do when it serves. */
async function whyNot(client: CommandClient): Promise<string | undefined> {
  try {
    const command = requestCommand(RequestCode.GET_BROKER_RUNTIME_INFO, {});
    const { code, remark = '' } = await client.request(command, TIMEOUT_MS);
    const serves = code === ResponseCode.SUCCESS || code === ResponseCode.REQUEST_CODE_NOT_SUPPORTED;
    return serves ? undefined : `it answers with code ${code}, ${remark}`;
  } catch (error) {
    return (error as Error).message;
  }
}

function requireAddress(address: string): void {
  try {
    parseAddress(address);
  } catch {
    throw new UserError(`${address} is not possible: give an address of the form host:port.`);
  }
}
