/**
 * Node's TLS, loaded when the first connection needs it: it costs every thread some milliseconds and megabytes, and
 * most brokers serve plain connections only.
 */
export function nodeTls(): typeof import('node:tls') {
  return process.getBuiltinModule('node:tls');
}
