/** RingMQ as a library: a broker inside your program, a name server, or the store alone (docs/embedding.md). */
export { RingMQError, type RingMQErrorCode } from './embed/error.ts';
export {
  type MessageStore,
  type MessageStoreOptions,
  type MessageToStore,
  openStore,
  type ReadMessage as StoredMessage,
  type StoredQueue,
} from './embed/message-store.ts';
export type {
  EmbeddedBroker,
  EmbeddedBrokerOptions,
  EmbeddedLog,
  EmbeddedLogger,
  EmbeddedSettings,
  EmbeddedStoreOptions,
  TopicOptions,
} from './embed/options.ts';
export { startBroker } from './embed/start-broker.ts';
export { type NameServer, type NameServerOptions, startNameServer } from './namesrv/name-server.ts';
export type { HostAddress } from './record/message-id.ts';
export type { Appended } from './store/appended.ts';
