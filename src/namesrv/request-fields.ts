/** Extension fields of a request. A missing one fails the request (code 1) in the words of a Java server. */
import type { RemotingCommand } from '../protocol/command.ts';
import { ProtocolError } from '../protocol/errors.ts';

export function requiredText(request: RemotingCommand, name: string): string {
  const value = request.fields[name];
  if (value === undefined) throw new ProtocolError('VALUE', `the custom field <${name}> is null`);
  return value;
}

export function optionalInteger(request: RemotingCommand, name: string): number | undefined {
  const value = request.fields[name];
  if (value === undefined) return undefined;
  const number = Number(value);
  if (value.trim() === '' || !Number.isSafeInteger(number)) {
    throw new ProtocolError('VALUE', `the custom field <${name}> is not an integer: ${value}`);
  }
  return number;
}

export function requiredInteger(request: RemotingCommand, name: string): number {
  requiredText(request, name);
  return optionalInteger(request, name) ?? 0;
}

/** Undefined when the field is missing; anything but `true` in any case is false, as Java parses it. */
export function optionalBoolean(request: RemotingCommand, name: string): boolean | undefined {
  return request.fields[name] === undefined ? undefined : request.fields[name].toLowerCase() === 'true';
}
