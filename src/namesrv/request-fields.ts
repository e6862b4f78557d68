/** Extension fields that only a name server reads; the others are `protocol/request-fields.ts`. */

import { isPlainName } from '../lib/names.ts';
import { quote } from '../lib/quote.ts';
import { ResponseCode } from '../protocol/codes.ts';
import type { RemotingCommand } from '../protocol/command.ts';
import { RequestError, requiredText } from '../protocol/request-fields.ts';

/** A name that is kept. Throws a RequestError: missing (SYSTEM_ERROR), or none that can be (INVALID_PARAMETER). */
export function requiredName(request: RemotingCommand, field: string): string {
  const name = requiredText(request, field);
  if (isPlainName(name)) return name;
  throw new RequestError(
    ResponseCode.INVALID_PARAMETER,
    `the custom field <${field}> is no name: ${quote(name)}`,
  );
}

/** Undefined when the field is missing; anything but `true` in any case is false, as Java parses it. */
export function optionalBoolean(request: RemotingCommand, name: string): boolean | undefined {
  return request.fields[name] === undefined ? undefined : request.fields[name].toLowerCase() === 'true';
}
