/** What a network thread does for a send: writing the record, and everything from a read chunk to the send ring. */
import { RecordWriter, WRITTEN } from '../../src/broker/send/record-writer.ts';
import { RefusalCounts } from '../../src/broker/send/refused-sends.ts';
import { SendFields } from '../../src/broker/send/send-fields.ts';
import { SendHandler } from '../../src/broker/send/send-handler.ts';
import { Calls } from '../../src/broker/stats/calls.ts';
import { NetworkView, type TopicView } from '../../src/broker/view/network-view.ts';
import { Connection } from '../../src/net/connection.ts';
import { OutputPool } from '../../src/net/output-pool.ts';
import { PendingSends } from '../../src/net/pending-sends.ts';
import { CALL_ROWS } from '../../src/protocol/call-kinds.ts';
import { FrameCutter } from '../../src/protocol/frame-cutter.ts';
import { RequestView } from '../../src/protocol/request-view.ts';
import { plainBulk } from '../../src/ring/bulk.ts';
import { CallTable } from '../../src/ring/call-table.ts';
import { plainChannel } from '../../src/ring/channel.ts';
import { Counters } from '../../src/ring/counters.ts';
import { nativeDisk } from '../../src/store/disk/native-disk.ts';
import { QueueFiles } from '../../src/store/read/queue-files.ts';
import type { HeaderFormat } from '../load/send-template.ts';
import { fakeSocket, HOST, PROPERTY_SUFFIX } from './fixtures.ts';
import { sendChunk, TOPIC } from './samples.ts';
import { repeat, type Subject, type Suite } from './suite.ts';

const FRAMES = 32;

function benchView(): NetworkView {
  const files = new QueueFiles(nativeDisk, '', 6_000_000, TOPIC, 0);
  const view = new NetworkView((_topic, _queueId, id) => ({ id, files }));
  view.apply({
    kind: 'topic',
    name: TOPIC,
    perm: 6,
    order: false,
    readQueueNums: 4,
    writeQueueNums: 4,
    priority: false,
    lite: false,
    queues: [1, 2, 3, 4],
  });
  return view;
}

function writing(header: HeaderFormat, bodyBytes: number): Subject {
  const chunk = sendChunk(header, 1, bodyBytes);
  const request = new RequestView();
  request.read(chunk.bytes, chunk.view, chunk.offsets[0] as number, chunk.frameBytes);
  const fields = new SendFields();
  fields.locate(request.fields, true);
  const topic = benchView().topics.getByName(TOPIC) as TopicView;
  const writer = new RecordWriter(HOST, PROPERTY_SUFFIX, () => '');
  const target = plainBulk(1 << 20);
  const places = (1 << 20) / 4096;
  return {
    name: `RecordWriter.write, ${header} header, ${bodyBytes} bytes of body`,
    batch: places,
    run: repeat(places, (i) => {
      const outcome = writer.write(target, i * 4096, request, fields, topic, undefined, 1, HOST);
      if (outcome !== WRITTEN) throw new Error(`not written: ${outcome}`);
      return writer.size;
    }),
  };
}

/** Chunk to ring, with the consumer giving the ring back at once. */
function sending(header: HeaderFormat): Subject {
  const chunk = sendChunk(header, FRAMES);
  const { sender, receiver } = plainChannel({ ringBytes: 1 << 20 });
  const sends = new PendingSends(1 << 10);
  const connection = new Connection(
    fakeSocket,
    { slot: 0, generation: 1, host: HOST, remoteAddress: '127.0.0.1:1' },
    new OutputPool(),
    0,
  );
  const view = benchView();
  const handler = new SendHandler({
    calls: new Calls(CallTable.unread(CALL_ROWS)),
    writer: sender,
    sends,
    view,
    storeHost: HOST,
    marks: { regionId: 'DefaultRegion', clusterName: 'DefaultCluster' },
    rules: () => view.settings.waiting,
    brokerName: 'broker-a',
    wallClock: () => 0,
    makeUniqueKey: () => '',
    lacksCopies: () => false,
    maxMessageSize: 4 << 20,
    now: () => 0,
    counters: Counters.unread(),
    refusals: new RefusalCounts(),
    toControl: () => -1,
    isAwaited: () => false,
    isTopicAwaited: () => false,
    awaitLite: () => -1,
    awaitTopic: () => -1,
  });
  const request = new RequestView();
  const cutter = new FrameCutter();
  const handle = (bytes: Uint8Array, view: DataView, offset: number, length: number): number => {
    request.read(bytes, view, offset, length);
    return handler.handle(connection, request, offset, length);
  };
  return {
    name: `a send from its frame into the ring, ${header} header`,
    batch: FRAMES,
    run: () => {
      if (cutter.push(chunk.bytes, chunk.view, chunk.bytes.length, handle) !== 0) throw new Error('not sent');
      handler.publish();
      let sum = 0;
      while (receiver.next()) sum += receiver.length;
      receiver.release();
      sends.head = sends.tail;
      return sum;
    },
  };
}

export function open(): Suite {
  return {
    subjects: [
      writing('json', 128),
      writing('json', 1024),
      writing('binary', 1024),
      sending('json'),
      sending('binary'),
    ],
  };
}
