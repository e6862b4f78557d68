/** Why a TLS handshake failed, in words for the log of whoever runs the server. */
import type { TLSSocket } from 'node:tls';

const NOT_TRUSTED =
  "the client does not trust this server's certificate: it has to know who signed it (tls.client.trustCertPath)";
const NO_CERTIFICATE = 'the client shows no certificate, and tls.server.need.client.auth=require wants one';
const NOTHING_IN_COMMON =
  'client and server have no version or cipher in common (tls.protocols, tls.ciphers)';

/** By OpenSSL's codes as Node has them. */
const WORDS: Readonly<Record<string, string>> = {
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: NOT_TRUSTED,
  ERR_SSL_SSL_TLS_ALERT_CERTIFICATE_UNKNOWN: NOT_TRUSTED,
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: NOT_TRUSTED,
  ERR_SSL_SSL_TLS_ALERT_BAD_CERTIFICATE: NOT_TRUSTED,
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: NOT_TRUSTED,
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: NO_CERTIFICATE,
  ERR_SSL_NO_SHARED_CIPHER: NOTHING_IN_COMMON,
  ERR_SSL_UNSUPPORTED_PROTOCOL: NOTHING_IN_COMMON,
  ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM: NOTHING_IN_COMMON,
  ECONNRESET: 'the client closed the connection in the middle',
};

export function handshakeFailure(
  error: Error | undefined,
  socket: Pick<TLSSocket, 'authorizationError'>,
): string {
  // Node closes a connection without an error of its own when the client's certificate is not accepted.
  const { code = '', reason } = (error ?? {}) as NodeJS.ErrnoException & { reason?: string };
  const refused = socket.authorizationError as unknown;
  if (refused && WORDS[code] !== NO_CERTIFICATE) {
    return `the client's certificate is not accepted: ${refused} (see tls.server.trustCertPath)`;
  }
  return WORDS[code] ?? reason ?? error?.message ?? 'no reason is known';
}
