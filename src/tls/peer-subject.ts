/** Who the peer of a TLS connection says it is, by the certificate it has shown. */
import type { TLSSocket } from 'node:tls';

/** Characters of a subject that are kept: a certificate may hold as many as fit into a handshake. */
const MAX_SUBJECT = 256;

/**
 * The subject of the peer's certificate in one line, as in `C=DE, O=Example, CN=operations`; undefined when it has
 * shown none. `unverified:` stands before one that no authority of ours vouches for: anybody can make such one.
 */
export function peerSubject(
  socket: Pick<TLSSocket, 'authorized' | 'getPeerX509Certificate'>,
): string | undefined {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return undefined;
  const line = certificate.subject?.split('\n').join(', ') || 'a certificate without a subject';
  const subject = line.length <= MAX_SUBJECT ? line : `${line.slice(0, MAX_SUBJECT)}…`;
  return socket.authorized ? subject : `unverified: ${subject}`;
}
