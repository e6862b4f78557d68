/** Which names broker.conf and namesrv.conf know. */
import { brokerKeys } from './broker-keys.ts';
import { type BrokerValues, readValue } from './key.ts';
import { nameServerGroups, nameServerGuards, nameServerKeys } from './namesrv-keys.ts';
import { olderNames } from './older-names.ts';
import { type UnsupportedKey, unsupportedMap, type Vocabulary } from './unsupported.ts';
import { unsupportedGroups } from './unsupported-keys.ts';

const brokerUnsupported = unsupportedMap(unsupportedGroups);
const brokerNames = [...brokerKeys.keys(), ...olderNames];
const nameServerUnsupported = unsupportedMap([
  ...unsupportedGroups.filter(({ title }) => title === 'Sockets'),
  ...nameServerGroups,
]);

/** Undefined for a key that RocketMQ does not know either. */
export function unsupportedBrokerKey(name: string): UnsupportedKey | undefined {
  return brokerUnsupported.get(name);
}

export function brokerVocabulary(values: BrokerValues): Vocabulary {
  return {
    names: brokerNames,
    unsupported: brokerUnsupported,
    elsewhere: {
      names: new Set([...nameServerKeys, ...nameServerUnsupported.keys()]),
      file: 'namesrv.conf, which `ringmq namesrv -c` reads',
    },
    guards: (name) => brokerKeys.get(name)?.guards,
    holds: (name, value) => {
      const key = brokerKeys.get(name);
      return key !== undefined && key.parse(value.trim()) === readValue(values, key);
    },
  };
}

/** `held`: the name server's settings as texts. */
export function nameServerVocabulary(held: ReadonlyMap<string, string>): Vocabulary {
  return {
    names: nameServerKeys,
    unsupported: nameServerUnsupported,
    elsewhere: {
      names: new Set([...brokerNames, ...brokerUnsupported.keys()]),
      file: 'broker.conf, which brokers read',
    },
    guards: (name) => nameServerGuards[name],
    holds: (name, value) => held.get(name) === value.trim(),
  };
}
