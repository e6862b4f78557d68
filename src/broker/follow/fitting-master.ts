/**
 * Whether the master of which a name server tells can be that of this slave: of the same cluster, with log files of the
 * same size. Name servers know brokers by their brokerName alone, and the protocol of the copy says nothing of either.
 */
import type { ControlLog } from '../../lib/log.ts';
import { RequestCode } from '../../protocol/codes.ts';
import { requestCommand } from '../../protocol/command.ts';
import { parsePropertiesBody } from '../../protocol/properties-body.ts';
import { isAddress } from '../../remoting/address.ts';
import { CommandClient } from '../../remoting/command-client.ts';
import type { ClientTls } from '../../tls/settings.ts';

const TIMEOUT_MS = 3_000;

export interface FittingMasterParts {
  brokerClusterName: string;
  mappedFileSizeCommitLog: number;
  tls: () => ClientTls | undefined;
  log: ControlLog;
  /** The master's address for slaves, and that for clients; '' = there is none now. */
  masterIs: (replicationAddress: string, address: string) => void;
  /** Asks the name servers at once where the master is, not only with the next registration. */
  ask: () => void;
}

export class FittingMaster {
  readonly #parts: FittingMasterParts;
  /** What does not fit, as it was said last; '' = all does. */
  #said = '';
  #last: Promise<void> = Promise.resolve();
  /** Name servers have told of one. */
  #hasMaster = false;
  #seen = '';

  constructor(parts: FittingMasterParts) {
    this.#parts = parts;
  }

  /** What a name server says; passed on when the master fits, in the order in which it was said. */
  told(replicationAddress: string, address: string): Promise<void> {
    this.#hasMaster = address !== '';
    this.#last = this.#last.then(async () => {
      const problem = await this.#problemOf(address);
      if (problem !== undefined) this.#say(problem, address);
      // One that did not fit is followed when it says that it does.
      if ((problem ?? this.#said) === '') this.#parts.masterIs(replicationAddress, address);
    });
    return this.#last;
  }

  /**
   * The master of this name as all can see it. One that has come after this slave is asked for at once. Name servers
   * tell a slave of no master of another cluster, and nothing else would say why it has none.
   */
  seen(address: string): Promise<void> {
    if (this.#hasMaster || address === this.#seen) return this.#last;
    this.#seen = address;
    if (address !== '') this.#parts.ask();
    this.#last = this.#last.then(async () => {
      const problem = await this.#problemOf(address);
      if (problem !== undefined) this.#say(problem, address);
    });
    return this.#last;
  }

  /** Why it does not fit; '' = it does, undefined = it does not say. Following it goes on its own way then. */
  async #problemOf(address: string): Promise<string | undefined> {
    if (!isAddress(address)) return undefined;
    const client = new CommandClient({ address, tls: this.#parts.tls });
    try {
      const { body } = await client.request(requestCommand(RequestCode.GET_BROKER_CONFIG), TIMEOUT_MS);
      return this.#misfit(parsePropertiesBody(body));
    } catch {
      return undefined;
    } finally {
      client.close();
    }
  }

  #misfit(config: ReadonlyMap<string, string>): string | undefined {
    const cluster = config.get('brokerClusterName');
    const size = config.get('mappedFileSizeCommitLog');
    if (cluster === undefined || size === undefined) return undefined;
    const { brokerClusterName, mappedFileSizeCommitLog } = this.#parts;
    if (cluster !== brokerClusterName) {
      return (
        `the master of this brokerName is of the cluster ${cluster}, and this slave of ${brokerClusterName}: ` +
        'set the same brokerClusterName for both, or another brokerName for one of them'
      );
    }
    if (Number(size) !== mappedFileSizeCommitLog) {
      return (
        `the master's log has files of ${size} bytes, and this slave's of ${mappedFileSizeCommitLog}: ` +
        'set the same mappedFileSizeCommitLog for both, and begin here with an empty store'
      );
    }
    return '';
  }

  /** Once, until it changes. */
  #say(problem: string, master: string): void {
    if (problem === this.#said) return;
    this.#said = problem;
    if (problem === '') this.#parts.log.info({ master }, 'the master fits this slave now');
    else
      this.#parts.log.error(
        { master, reason: problem },
        'this slave does not follow a master that does not fit',
      );
  }
}
