/** Bytes or text from a peer that break the format. The connection they came from cannot be trusted any further. */

import { limitRemark } from '../lib/limits.ts';

export type ProtocolErrorCode =
  /** A length outside what the format or the limits allow. */
  | 'LENGTH'
  /** A serialize type other than JSON and ROCKETMQ. */
  | 'SERIALIZE_TYPE'
  /** Text that is not JSON, not even in the dialect of fastjson. */
  | 'SYNTAX'
  /** Well-formed, but a value of the wrong type or range. */
  | 'VALUE';

export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly code: ProtocolErrorCode;

  constructor(code: ProtocolErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** What came went over a limit, which the message names. */
export function limitError(what: string, limit: number, name: string): ProtocolError {
  return new ProtocolError('LENGTH', limitRemark(what, limit, name));
}
