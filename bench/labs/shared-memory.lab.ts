/** Lab: copying into and out of memory that threads share, by the kind of buffer over it. */
import { addon } from '../../src/native/addon.ts';
import { attachBulk } from '../../src/ring/bulk.ts';
import { measure } from '../micro/measure.ts';
import { repeat } from '../micro/suite.ts';
import type { Case, Lab, Scale } from './lib/lab.ts';

const SIZES = [64, 256, 1024, 4096, 16_384];
const BUFFER_BYTES = 1 << 20;
/** A body behind a header, as it comes from a socket, lies anywhere in its words. */
const OFF = 3;
const COPIES = 256;

const SHARED = 'SharedArrayBuffer';
const SHARED_ODD = 'SharedArrayBuffer, 3 bytes off';
const PLAIN = 'ArrayBuffer, one thread';
const REGION = "addon's region";
const REGION_ODD = "addon's region, 3 bytes off";
const NATIVE = "addon's copy";

type Copy = (to: number, from: number, length: number) => void;

/** `off`: bytes by which the source lies otherwise than the target in its words. */
function bySet(target: Uint8Array, source: Uint8Array, off = 0): Copy {
  return (to, from, length) => target.set(source.subarray(from + off, from + off + length), to);
}

function ways(): [string, Copy][] {
  const [target, source] = [addon.allocateRegion(BUFFER_BYTES), addon.allocateRegion(BUFFER_BYTES)];
  const shared = () => new Uint8Array(new SharedArrayBuffer(BUFFER_BYTES)).fill(1);
  const plain = () => new Uint8Array(BUFFER_BYTES).fill(1);
  const region = (id: number) => attachBulk(id).bytes.fill(1);
  return [
    [SHARED, bySet(shared(), shared())],
    [SHARED_ODD, bySet(shared(), shared(), OFF)],
    [PLAIN, bySet(plain(), plain())],
    [REGION, bySet(region(target), region(source))],
    [REGION_ODD, bySet(region(target), region(source), OFF)],
    [NATIVE, (to, from, length) => addon.copy(target, to, source, from, length)],
  ];
}

function caseOf(bytes: number, way: string, copy: Copy, { timing }: Scale): Case {
  let at = 0;
  // One record behind the other, as in a ring.
  const run = repeat(COPIES, () => {
    at = at + 2 * bytes + OFF > BUFFER_BYTES ? 0 : at + bytes;
    copy(at, at, bytes);
    return at;
  });
  return {
    place: `${bytes} B`,
    way,
    measure: () => {
      const { median } = measure({ name: way, batch: COPIES, run }, timing);
      return { nanos: median, rate: (bytes * 1e9) / median / (1 << 20) };
    },
  };
}

export const lab: Lab = {
  title: 'Copies in shared memory: SharedArrayBuffer and plain buffers',
  hypothesis:
    'What threads share must be a SharedArrayBuffer for JavaScript, and V8 copies those word by word, with relaxed atomic ' +
    'accesses, as another thread may write meanwhile; byte by byte where source and target lie differently in their words. The same memory seen through a plain ArrayBuffer, which the addon ' +
    'makes over it for each thread, is copied by `memmove`.',
  experiment:
    '`TypedArray.set` of a subarray from one buffer of 1 MiB into another, record behind record, for records of 64 bytes to ' +
    '16 KiB: both are SharedArrayBuffers, ArrayBuffers that no other thread sees, or regions of the addon, which all ' +
    'threads see. For "3 bytes off" the source begins 3 bytes behind a word and the target at one. Then the `copy` of the ' +
    'addon between regions, which makes no subarray and costs a call into C++.',
  reading:
    'Small records show what a call costs, large ones what a byte costs. What comes from a socket lies anywhere: the ' +
    'rows "3 bytes off" are those of bodies and properties. Regions should cost what plain buffers do: they are plain buffers, which share because they begin at ' +
    'one address in all threads.',
  uses: [
    {
      file: 'src/ring/bulk.ts',
      symbol: 'attachBulk',
      what: 'bytes of rings and mappings are plain views of regions',
    },
    {
      file: 'src/ring/spsc-ring.ts',
      symbol: 'createRing',
      what: 'control words, which need Atomics, lie in a SharedArrayBuffer; records do not',
    },
    {
      file: 'native/attachments.cc',
      symbol: 'attach',
      what: 'the ArrayBuffer of each thread over one region',
    },
  ],
  places: 'record',
  columns: [
    { key: 'nanos', title: 'ns a copy' },
    { key: 'rate', title: 'MiB a second' },
  ],
  chart: { column: 'nanos', logarithmic: true },
  bytes: () => 0,
  open({ scale }) {
    const all = ways();
    return { cases: SIZES.flatMap((bytes) => all.map(([way, copy]) => caseOf(bytes, way, copy, scale))) };
  },
  findings: [
    (look) => {
      const times = look('1024 B', SHARED, 'nanos') / look('1024 B', REGION, 'nanos');
      return `1 KiB: copying between SharedArrayBuffers took ${times.toFixed(1)} times as long as between regions`;
    },
    (look) => {
      const times = look('1024 B', SHARED_ODD, 'nanos') / look('1024 B', REGION_ODD, 'nanos');
      return `1 KiB that lies 3 bytes off: ${times.toFixed(1)} times as long`;
    },
    (look) => {
      const times = look('16384 B', SHARED, 'nanos') / look('16384 B', REGION, 'nanos');
      return `16 KiB: ${times.toFixed(1)} times as long`;
    },
  ],
};
