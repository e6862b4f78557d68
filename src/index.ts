/** RingMQ as a library: a broker beside your program, a name server, or the store alone. */
export type { EmbeddedBroker, EmbeddedBrokerOptions } from './embed/options.ts';
export { startBroker } from './embed/start-broker.ts';
export { startNameServer } from './namesrv/name-server.ts';
export { openStore, type Store, type StoreSetup } from './store/store.ts';
