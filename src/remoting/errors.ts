/** A request to another process that did not get its answer. */

export type RemotingErrorCode =
  /** No connection could be made. */
  | 'CONNECT'
  /** No answer within the time; the request may have been carried out. */
  | 'TIMEOUT'
  /** The connection ended before the answer; the request may have been carried out. */
  | 'CLOSED';

export class RemotingError extends Error {
  override readonly name = 'RemotingError';
  readonly code: RemotingErrorCode;

  constructor(code: RemotingErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
