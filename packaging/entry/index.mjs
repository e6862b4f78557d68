/** `import 'ringmq'`: what `require` gives, so that a program in which both are used has one RingMQ. */
import library from './index.cjs';

export const { openStore, startBroker, startNameServer } = library;
