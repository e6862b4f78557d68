/** An SQL92 filter over one message: the properties found in place, and the expression evaluated. */
import { compileSql } from '../../src/filter/sql-filter.ts';
import { repeat, type Subject, type Suite } from './suite.ts';

const SQL = "a BETWEEN 1 AND 5 AND region = 'eu' OR level IS NULL";

/** Ten properties as stored: what clients and the broker add, and those that the application has set. */
function stored(a: string, region: string): Uint8Array {
  return Buffer.from(
    `KEYS\x01K00000001\x02UNIQ_KEY\x017F0000010000A1B20000000000000001\x02WAIT\x01true\x02TAGS\x01TagA\x02` +
      `a\x01${a}\x02region\x01${region}\x02level\x01gold\x02` +
      `MSG_REGION\x01DefaultRegion\x02TRACE_ON\x01true\x02CLUSTER\x01DefaultCluster\x02`,
  );
}

function filtering(name: string, sql: string, messages: readonly Uint8Array[]): Subject {
  const filter = compileSql(sql);
  const times = 500;
  return {
    name: `SqlFilter.matches, ${name}`,
    batch: times,
    run: repeat(times, (i) => {
      const bytes = messages[i % messages.length] as Uint8Array;
      return filter.matches(bytes, 0, bytes.length) ? 1 : 0;
    }),
  };
}

export function open(): Suite {
  const some = ['3', '17', '5', '0'].flatMap((a) => ['eu', 'us'].map((region) => stored(a, region)));
  const times = 100;
  return {
    subjects: [
      filtering(`${SQL}, ten properties`, SQL, some),
      filtering('one name that no message has', "missing = 'x'", some),
      filtering('doubles, CONTAINS, IN', "a > 1.5 AND level CONTAINS 'ol' AND region IN ('us', 'eu')", some),
      {
        name: 'compileSql of the first',
        batch: times,
        run: repeat(times, () => compileSql(SQL).names.length),
      },
    ],
  };
}
