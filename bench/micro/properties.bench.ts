/** Finding the properties that the broker looks at: once per message in the network thread, once in the dispatcher. */
import { PropertyScan } from '../../src/record/property-scan.ts';
import { repeat, type Subject, type Suite } from './suite.ts';

const UNIQUE_KEY = '7F0000010000A1B20000000000000001';
const SENT = `KEYS\x01K00000001\x02UNIQ_KEY\x01${UNIQUE_KEY}\x02WAIT\x01true\x02TAGS\x01TagA\x02`;
const STORED = `${SENT}MSG_REGION\x01DefaultRegion\x02TRACE_ON\x01true\x02CLUSTER\x01DefaultCluster\x02`;

function scanning(name: string, text: string): Subject {
  const bytes = new Uint8Array(Buffer.from(text));
  const view = new DataView(bytes.buffer);
  const scan = new PropertyScan();
  const times = 200;
  return {
    name: `PropertyScan.scan, ${bytes.length} bytes, ${name}`,
    batch: times,
    run: repeat(times, () => {
      scan.scan(bytes, view, 0, bytes.length);
      return scan.tagsOffset;
    }),
  };
}

export function open(): Suite {
  return { subjects: [scanning('as sent', SENT), scanning('as stored', STORED)] };
}
