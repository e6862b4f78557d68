/**
 * Dialing another server by TLS, as RocketMQ's clients do: its certificate is checked when that is asked for, the name
 * in it is not.
 */
import type { TLSSocket } from 'node:tls';
import { nodeTls } from './node-tls.ts';
import type { ClientTls } from './settings.ts';

/** `secureConnect` says that the handshake is done. */
export function dialTls(host: string, port: number, { terms, verifyServer, pem }: ClientTls): TLSSocket {
  return nodeTls().connect({
    host,
    port,
    ...terms,
    ...pem,
    rejectUnauthorized: verifyServer,
    // Clusters are made of addresses, and certificates of RocketMQ's guides name none of them.
    checkServerIdentity: () => undefined,
  });
}
