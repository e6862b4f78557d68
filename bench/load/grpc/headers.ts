/**
 * The header block of a gRPC request. The first request of a connection enters what all have in common in the peer's
 * table; later ones name the entries, as gRPC clients do. The timeout differs from call to call and is always written out.
 */

const METHOD_POST = 0x83;
const SCHEME_HTTP = 0x86;
const PATH_NOT_ENTERED = 0x04;
const AUTHORITY_ENTERED = 0x41;
const NAME_ENTERED = 0x40;
const NAME_NOT_ENTERED = 0x00;
const INDEXED = 0x80;
/** Index of the entry that was made last. */
const FIRST_ENTRY = 62;
/** A length or an index of one byte is less than this. */
const ONE_BYTE = 0x7f;

/** The proxy gives up a call that takes longer, and refuses one that does not say how long it may take. */
const CALL_TIMEOUT = '60S';
/** As long as the Java client lets its settings stand: a stream that ends only with the connection. */
export const STREAM_TIMEOUT = '525600H';

const SERVICE = '/apache.rocketmq.v2.MessagingService/';

export class RequestHeaders {
  readonly #authority: string;
  readonly #fields: readonly (readonly [name: string, value: string])[];
  #entered = false;

  constructor(authority: string, clientId: string) {
    this.#authority = authority;
    this.#fields = [
      ['content-type', 'application/grpc'],
      ['te', 'trailers'],
      ['user-agent', 'ringmq-bench'],
      ['x-mq-client-id', clientId],
      ['x-mq-language', 'JAVA'],
      ['x-mq-protocol', 'v2'],
      ['x-mq-client-version', '5.0.7'],
    ];
  }

  /** The block of the next request that is sent. */
  block(method: string, timeout = CALL_TIMEOUT): Buffer {
    const limit = [NAME_NOT_ENTERED, ...text('grpc-timeout'), ...text(timeout)];
    const path = [METHOD_POST, SCHEME_HTTP, PATH_NOT_ENTERED, ...text(SERVICE + method)];
    if (this.#entered) {
      const entries = [this.#authority, ...this.#fields].map((_, index) => INDEXED | (FIRST_ENTRY + index));
      // the entry that was made first has the highest index
      return Buffer.from([...path, ...entries.reverse(), ...limit]);
    }
    this.#entered = true;
    const fields = this.#fields.flatMap(([name, value]) => [NAME_ENTERED, ...text(name), ...text(value)]);
    return Buffer.from([...path, AUTHORITY_ENTERED, ...text(this.#authority), ...fields, ...limit]);
  }
}

function text(value: string): number[] {
  const bytes = Buffer.from(value, 'latin1');
  if (bytes.length >= ONE_BYTE) throw new Error(`a header field of ${bytes.length} characters is too long`);
  return [bytes.length, ...bytes];
}
