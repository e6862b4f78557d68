/** Bodies that are text of java.util.Properties: changes of a server's configuration. */
import { parseJavaProperties } from '../lib/java-properties.ts';
import { MAX_CONFIG_BODY } from '../lib/limits.ts';
import { limitError } from './errors.ts';

/** Throws a ProtocolError when the body is longer than any configuration. */
export function parsePropertiesBody(body: Uint8Array | undefined): Map<string, string> {
  if (body === undefined) return new Map();
  if (body.length > MAX_CONFIG_BODY)
    throw limitError('bytes in a change of the configuration', MAX_CONFIG_BODY, 'MAX_CONFIG_BODY');
  return parseJavaProperties(Buffer.from(body).toString('utf8'));
}
