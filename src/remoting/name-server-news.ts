/**
 * What the operator hears of one name server: that it knows the broker, that it was lost and why, and that it is back.
 * A name server that is down is tried every few seconds; only the first failure and then one in a minute is told.
 */
import type { Clock } from '../lib/clock.ts';
import type { ControlLog } from '../lib/log.ts';
import { RemotingError } from './errors.ts';

const REMIND_MS = 60_000;

const NOT_TRUSTED = 'its certificate is signed by nobody that tls.client.trustCertPath names';

/** What the codes of the system and of OpenSSL mean where a connection was tried. */
const REASONS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'its host name is not known',
  EAI_AGAIN: 'the name service that knows its host name does not answer',
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'it has closed the connection',
  ETIMEDOUT: 'its host does not answer',
  EHOSTUNREACH: 'no way leads to its host',
  EHOSTDOWN: 'its host is down',
  ENETUNREACH: 'no way leads to its network',
  EACCES: 'the system does not allow the connection',
  EPERM: 'the system does not allow the connection',
  DEPTH_ZERO_SELF_SIGNED_CERT: NOT_TRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: NOT_TRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: NOT_TRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: NOT_TRUSTED,
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    'it wants a certificate: set tls.client.certPath and tls.client.keyPath',
};

export interface NewsOfNameServer {
  nameServer: string;
  clock: Clock;
  log: ControlLog;
}

export class NameServerNews {
  readonly #parts: NewsOfNameServer;
  #wasRegistered = false;
  /** Monotonic ms since when it does not know the broker; undefined while it does, and before the first try. */
  #lostSince: number | undefined;
  #toldAt = Number.NEGATIVE_INFINITY;
  #tries = 0;

  constructor(parts: NewsOfNameServer) {
    this.#parts = parts;
  }

  /** It has taken a registration. `broker`: what it was told, for the log. */
  registered(broker: object): void {
    const { nameServer, clock, log } = this.#parts;
    if (this.#lostSince !== undefined) {
      const seconds = Math.round((clock.monotonic() - this.#lostSince) / 1000);
      const again = this.#wasRegistered
        ? `registered again after ${seconds} s`
        : `registered after ${seconds} s`;
      log.info({ nameServer, ...broker, seconds }, `${again}: the name server is there`);
    } else if (!this.#wasRegistered) {
      log.info({ nameServer, ...broker }, 'registered with the name server');
    }
    this.#wasRegistered = true;
    this.#lostSince = undefined;
    this.#toldAt = Number.NEGATIVE_INFINITY;
    this.#tries = 0;
  }

  /** The connection over which it knew the broker is gone. */
  lost(): void {
    const { nameServer, clock, log } = this.#parts;
    if (this.#lostSince !== undefined) return;
    this.#lostSince = clock.monotonic();
    log.warn({ nameServer }, 'the connection to the name server was lost: registering again when it is back');
  }

  /** A try to register has failed. */
  failed(error: unknown): void {
    const { nameServer, clock, log } = this.#parts;
    const now = clock.monotonic();
    this.#lostSince ??= now;
    this.#tries += 1;
    if (now - this.#toldAt < REMIND_MS) return;
    this.#toldAt = now;
    const fields = { nameServer, reason: reasonOf(error), tries: this.#tries };
    const seconds = Math.round((now - this.#lostSince) / 1000);
    if (this.#tries === 1) log.warn(fields, 'cannot register with the name server, trying on');
    else log.warn({ ...fields, seconds }, 'still not registered with the name server, trying on');
  }
}

/** In words, with the system's code behind them. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (!(error instanceof RemotingError) || !(cause instanceof Error)) return error.message;
  // Where a name has several addresses, and none can be connected to, the error that stands for all has the code too.
  const { code } = cause as NodeJS.ErrnoException;
  if (code === undefined) return cause.message;
  const words = REASONS[code];
  return words === undefined ? `${error.message} (${code})` : `${words} (${code})`;
}
