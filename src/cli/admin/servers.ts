/**
 * The servers that a command talks to: name servers by the addresses that were given, brokers by those that the name
 * servers tell. Each answer that is not a success becomes a sentence.
 */
import { UserError } from '../../lib/user-error.ts';
import { RequestCode, ResponseCode } from '../../protocol/codes.ts';
import { type RemotingCommand, requestCommand } from '../../protocol/command.ts';
import { asObject, entriesOf, textOr } from '../../protocol/json-fields.ts';
import { parseRocketJson, type RocketJson, type RocketJsonObject } from '../../protocol/rocketmq-json.ts';
import { parseAddress } from '../../remoting/address.ts';
import { CommandClient } from '../../remoting/command-client.ts';
import type { ControlHandler } from '../../remoting/connection.ts';
import { refuseUnknownCode } from '../../remoting/dispatch.ts';
import { RemotingError } from '../../remoting/errors.ts';
import type { ClientTls } from '../../tls/settings.ts';
import { Failure, Refused, reasonOf } from './failure.ts';

export interface ConnectionFlags {
  namesrv?: string;
  tls?: boolean;
}

/** A broker as the name servers know it; id 0 is the master. */
export interface BrokerAt {
  cluster: string;
  name: string;
  id: number;
  address: string;
}

export interface Question {
  code: number;
  fields?: Record<string, string | number | boolean>;
  body?: Uint8Array;
  /** What it is for, behind "refused to": `delete topic orders`. */
  to: string;
  /** Codes beside success that are an answer. */
  accept?: readonly number[];
  timeoutMs?: number;
}

const DEFAULT_NAME_SERVER = '127.0.0.1:9876';
const TIMEOUT_MS = 10_000;
/** Whoever asks for --tls wants nobody to listen in; whose certificate it is cannot be told here. */
export const TRUSTING: ClientTls = { terms: {}, verifyServer: false, pem: {} };

export class Servers {
  readonly nameServers: readonly string[];
  readonly #tls: boolean;
  readonly #clients = new Map<string, CommandClient>();
  #brokers: Promise<BrokerAt[]> | undefined;
  /** Serves what brokers ask of this program. */
  handler: ControlHandler | undefined;

  constructor({ namesrv, tls = false }: ConnectionFlags) {
    this.nameServers = addressesOf(namesrv ?? (process.env['NAMESRV_ADDR'] || DEFAULT_NAME_SERVER));
    this.#tls = tls;
  }

  /** Asks a broker or name server at an address; rejects with a Failure. */
  async ask(address: string, question: Question): Promise<RemotingCommand> {
    const { code, fields = {}, body, to, accept = [], timeoutMs = TIMEOUT_MS } = question;
    const texts = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)]));
    let answer: RemotingCommand;
    try {
      answer = await this.#client(address).request(requestCommand(code, texts, body), timeoutMs);
    } catch (error) {
      throw new Failure(await this.#silence(address, error, to, timeoutMs));
    }
    if (answer.code === ResponseCode.SUCCESS || accept.includes(answer.code)) return answer;
    throw new Refused(this.#nameOf(address), to, answer);
  }

  /** The first name server that answers. */
  async askNameServer(question: Question): Promise<RemotingCommand> {
    let last: unknown;
    for (const address of this.nameServers) {
      try {
        return await this.ask(address, question);
      } catch (error) {
        if (error instanceof Refused) throw error;
        last = error;
      }
    }
    throw last;
  }

  async askAllNameServers(question: Question): Promise<void> {
    for (const address of this.nameServers) await this.ask(address, question);
  }

  /** All that are registered, by cluster, name and id; asked for once. */
  brokers(): Promise<BrokerAt[]> {
    this.#brokers ??= this.#askBrokers();
    return this.#brokers;
  }

  /** Of one cluster, or one broker, when such a name is given. Rejects with a Failure when there is none. */
  async masters(only?: string): Promise<BrokerAt[]> {
    const masters = (await this.brokers()).filter(({ id }) => id === 0);
    if (masters.length === 0) {
      const where = this.nameServers.join(';');
      throw new Failure(
        `No broker is registered at ${where}: start one that is told of this name server (ringmq broker -n ${where}).`,
      );
    }
    if (only === undefined) return masters;
    const found = masters.filter(({ cluster, name }) => only === cluster || only === name);
    if (found.length > 0) return found;
    const known = [...new Set(masters.flatMap(({ cluster, name }) => [cluster, name]))];
    throw new Failure(`There is no cluster and no broker ${only}: there are ${known.join(', ')}.`);
  }

  close(): void {
    for (const client of this.#clients.values()) client.close();
  }

  #client(address: string): CommandClient {
    let client = this.#clients.get(address);
    if (client === undefined) {
      client = this.newClient(address);
      this.#clients.set(address, client);
    }
    return client;
  }

  /** A connection of its own; the caller closes it. */
  newClient(address: string): CommandClient {
    return new CommandClient({
      address,
      handler: (request, connection) => (this.handler ?? refuseUnknownCode)(request, connection),
      ...(this.#tls ? { tls: () => TRUSTING } : {}),
    });
  }

  async #askBrokers(): Promise<BrokerAt[]> {
    const { body } = await this.askNameServer({
      code: RequestCode.GET_BROKER_CLUSTER_INFO,
      to: 'tell of its brokers',
    });
    const table = asObject(objectOf(body)['brokerAddrTable']) ?? {};
    const brokers = Object.values(table).flatMap((value) => {
      const data = asObject(value) ?? {};
      const cluster = textOr(data, 'cluster', '');
      const name = textOr(data, 'brokerName', '');
      return entriesOf(data['brokerAddrs']).map(([id, address]) => ({
        cluster,
        name,
        id: Number(id),
        address: String(address),
      }));
    });
    return brokers.sort(
      (a, b) => compare(a.cluster, b.cluster) || compare(a.name, b.name) || compare(a.id, b.id),
    );
  }

  #nameOf(address: string): string {
    return this.nameServers.includes(address) ? `The name server ${address}` : `The broker ${address}`;
  }

  async #silence(address: string, error: unknown, to: string, timeoutMs: number): Promise<string> {
    const reason = reasonOf(error);
    if (!(error instanceof RemotingError)) return `${this.#nameOf(address)} cannot ${to}: ${reason}.`;
    const seconds = timeoutMs / 1000;
    if (error.code === 'TIMEOUT')
      return `${this.#nameOf(address)} was asked to ${to} and has not answered in ${seconds} s: look whether it was done before you try again.`;
    if (error.code === 'CLOSED')
      return `${this.#nameOf(address)} has closed the connection instead of an answer: ${this.#tls ? 'it may not speak TLS (leave out --tls)' : 'it may want TLS (--tls)'}, or has just stopped.`;
    if (this.nameServers.includes(address))
      return `No name server answers at ${address} (${reason}): start one (ringmq standalone), or say where it is by -n host:port or NAMESRV_ADDR.`;
    return this.#unreachable(address, reason);
  }

  /** The container trap: a broker registers an address at which only its own host or network reaches it. */
  async #unreachable(address: string, reason: string): Promise<string> {
    const known = await this.#brokers?.catch(() => []);
    const name = known?.find((broker) => broker.address === address)?.name;
    if (name === undefined)
      return `Nothing answers at ${address} (${reason}): look whether the broker runs and listens there.`;
    return `Broker ${name} is registered as ${address}, where nothing answers from here (${reason}): if it runs, set brokerIP1 in its configuration to an address that this machine reaches.`;
  }
}

function addressesOf(text: string): string[] {
  const addresses = text
    .split(/[;,]/)
    .map((part) => part.trim())
    .filter((part) => part !== '');
  for (const address of addresses) {
    try {
      parseAddress(address);
    } catch {
      throw new UserError(
        `${address} is no address of a name server: give host:port, several separated by ";".`,
      );
    }
  }
  if (addresses.length === 0)
    throw new UserError('No name server is given: give host:port by -n or NAMESRV_ADDR.');
  return addresses;
}

/** The JSON object of a body; an empty one where there is none. */
export function objectOf(body: Uint8Array | undefined): RocketJsonObject {
  return asObject(jsonOf(body)) ?? {};
}

export function jsonOf(body: Uint8Array | undefined): RocketJson {
  if (body === undefined || body.length === 0) return null;
  return parseRocketJson(Buffer.from(body.buffer, body.byteOffset, body.length).toString('utf8'));
}

export function compare<T extends string | number>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
