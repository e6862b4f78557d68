/**
 * The certificates of one server process: read and checked at the start, and again when their files change. Files that
 * are half replaced, or hold nonsense, change nothing: what was read before stays in use until they fit together.
 */
import { statSync } from 'node:fs';
import type { ControlLog } from '../lib/log.ts';
import type { Timers } from '../lib/timers.ts';
import { UserError } from '../lib/user-error.ts';
import { nodeTls } from './node-tls.ts';
import { clientPaths, filesOf, type PemPaths, readPemFiles, serverPaths } from './pem-files.ts';
import type { ClientTls, PemTexts, ServerTls, TlsSettings, TlsTerms } from './settings.ts';
import { tlsTerms } from './terms.ts';
import { contextOptions } from './tls-gate.ts';

const LOOK_MS = 1000;

export class Certificates {
  readonly #settings: TlsSettings;
  readonly #terms: TlsTerms;
  readonly #sides: Side[] = [];
  readonly #server: Side | undefined;
  readonly #client: Side | undefined;
  #cancelLook: () => void = () => {};
  #watching = false;

  /** Throws a UserError for settings, files or keys with which nobody can be served. */
  constructor(settings: TlsSettings) {
    this.#settings = settings;
    this.#terms = tlsTerms(settings);
    const { testMode, mode, enable } = settings;
    if (testMode) return;
    if (mode !== 'disabled')
      this.#server = this.#side(serverPaths(settings), (pem) => this.#checkServer(pem));
    if (enable) this.#client = this.#side(clientPaths(settings), (pem) => this.#checkContext(pem));
  }

  #side(paths: PemPaths, check: (pem: PemTexts) => void): Side {
    const side = new Side(paths, check);
    this.#sides.push(side);
    return side;
  }

  /** For the port. */
  server(): ServerTls {
    const { mode, testMode, needClientAuth, serverAuthClient } = this.#settings;
    return {
      mode,
      terms: this.#terms,
      clientAuth: testMode ? 'none' : needClientAuth,
      verifyClients: serverAuthClient,
      pem: this.#server?.pem,
    };
  }

  /** For connections to other servers; undefined when these are plain. */
  client(): ClientTls | undefined {
    const { enable, testMode, clientAuthServer } = this.#settings;
    if (!enable) return undefined;
    return { terms: this.#terms, verifyServer: clientAuthServer && !testMode, pem: this.#client?.pem ?? {} };
  }

  /** From now on looks at the files every second; `replaced` hears of new certificates for the port. */
  watch(log: ControlLog, timers: Timers, replaced: (tls: ServerTls) => void): void {
    if (this.#sides.length === 0) return;
    this.#watching = true;
    this.#cancelLook = timers.after(LOOK_MS, () => {
      this.look(log, replaced);
      if (this.#watching) this.watch(log, timers, replaced);
    });
  }

  /** Reads files again that have changed since they were last read. */
  look(log: ControlLog, replaced: (tls: ServerTls) => void): void {
    for (const side of this.#sides) {
      if (side.refresh(log) && side === this.#server) replaced(this.server());
    }
  }

  close(): void {
    this.#watching = false;
    this.#cancelLook();
  }

  #checkServer(pem: PemTexts): void {
    if (pem.cert === undefined) {
      throw new UserError(
        'tls.test.mode.enable=false needs a certificate of your own: set tls.server.certPath and tls.server.keyPath, ' +
          'or tls.server.mode=disabled for a server without TLS. With tls.test.mode.enable=true, the default, ' +
          'clients are shown a self-signed certificate that tells them nothing.',
      );
    }
    this.#checkContext(pem);
  }

  /** OpenSSL has the last word, on the sizes of keys for one. */
  #checkContext(pem: PemTexts): void {
    try {
      nodeTls().createSecureContext(contextOptions({ pem, terms: this.#terms }, 0));
    } catch (error) {
      const { message, reason = message } = error as Error & { reason?: string };
      throw new UserError(`OpenSSL does not take the certificates and key of tls.*: ${reason}.`);
    }
  }
}

/** Certificates and key of the port, or of connections to others, with what their files looked like. */
class Side {
  pem: PemTexts;
  readonly #paths: PemPaths;
  readonly #check: (pem: PemTexts) => void;
  #seen: string;

  constructor(paths: PemPaths, check: (pem: PemTexts) => void) {
    this.#paths = paths;
    this.#check = check;
    this.#seen = this.#look();
    this.pem = this.#read();
  }

  /** Whether there are new certificates; what is wrong with the files is told once for each of their states. */
  refresh(log: ControlLog): boolean {
    const now = this.#look();
    if (now === this.#seen) return false;
    this.#seen = now;
    const { side } = this.#paths;
    try {
      const pem = this.#read();
      if (pem.cert === this.pem.cert && pem.key === this.pem.key && pem.ca === this.pem.ca) return false;
      this.pem = pem;
    } catch (error) {
      const reason = (error as Error).message;
      log.warn(
        { side, reason },
        'TLS certificates have changed and cannot be used: those of before stay in use',
      );
      return false;
    }
    log.info({ side, files: filesOf(this.#paths) }, 'TLS certificates read anew');
    return true;
  }

  #read(): PemTexts {
    const pem = readPemFiles(this.#paths);
    this.#check(pem);
    return pem;
  }

  /** Links are followed: some systems replace a certificate by turning a link. */
  #look(): string {
    return filesOf(this.#paths)
      .map((path) => {
        try {
          const { ino, size, mtimeNs } = statSync(path, { bigint: true });
          return `${ino} ${size} ${mtimeNs}`;
        } catch (error) {
          return String((error as NodeJS.ErrnoException).code);
        }
      })
      .join();
  }
}
