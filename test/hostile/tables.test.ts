/** The tables that the hostile tests work from are complete: every code that is served, every field that is read. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { toInt16 } from '../../src/protocol/codes.ts';
import { readProjectFile, sourceFiles } from '../support/source-files.ts';
import { brokerRequests, nameServerRequests, type RequestShape } from './support/requests.ts';
import { smallValues } from './support/values.ts';
import { variationsOf } from './support/variations.ts';
import { decodeAnswer, encodeRequest } from './support/wire.ts';

const test = suite('tables of the hostile tests');
const page = readProjectFile('docs/protocol-coverage.md');

function codesUnder(...headings: string[]): number[] {
  const sections = page.split(/^## /m).filter((part) => headings.some((heading) => part.startsWith(heading)));
  assert.is(sections.length, headings.length);
  const codes = sections.flatMap((section) =>
    [...section.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code)),
  );
  return [...new Set(codes)].sort((a, b) => a - b);
}

const codesOf = (shapes: readonly RequestShape[]) =>
  [...new Set(shapes.map(({ code }) => code))].sort((a, b) => a - b);

test('every request code that is served has its row', () => {
  assert.equal(codesOf(brokerRequests), codesUnder('Broker: network', 'Broker: control'));
  assert.equal(codesOf(nameServerRequests), codesUnder('Name server'));
});

test('every field that a handler asks for stands in a row', () => {
  const known = new Set(
    [...brokerRequests, ...nameServerRequests].flatMap(({ fields }) => Object.keys(fields)),
  );
  const asked = sourceFiles('src')
    .filter(({ path }) => /^src\/(broker|namesrv|control|threads\/control)\//.test(path))
    .flatMap(({ text }) => [...text.matchAll(/[\w.]\(\s*request, '(\w+)'|request\.fields\['(\w+)'\]/g)])
    .map(([, byCall, byIndex]) => byCall ?? byIndex ?? '');
  assert.ok(asked.length > 60, `${asked.length} fields are asked for`);
  assert.equal(
    [...new Set(asked)].filter((name) => !known.has(name)),
    [],
  );
});

test('a request in order survives its own encoding, in both formats', () => {
  for (const shape of [...brokerRequests, ...nameServerRequests]) {
    for (const binary of [false, true]) {
      const request = { code: shape.code, fields: shape.fields, binary, flag: 1 };
      const { code, opaque, fields } = decodeAnswer(encodeRequest(request, 7));
      // A binary header has 16 bits for the code.
      const sent = binary ? toInt16(shape.code) : shape.code;
      assert.equal([code, opaque, { ...fields }], [sent, 7, { ...shape.fields }]);
    }
  }
});

test('variations differ from the request in their place alone', () => {
  const shape: RequestShape = { code: 1, fields: { a: '1', b: '2' }, body: { c: [{ d: 'x' }, 3], e: 'y' } };
  const variations = variationsOf(shape);
  assert.equal(
    variations.map(({ place }) => place),
    ['a', 'b', 'body ', 'body c', 'body c.0', 'body c.0.d', 'body c.1', 'body e'],
  );
  const value = smallValues.find(({ name }) => name === 'dot');
  const bodies = variations.map(({ make }) => [make(value), make(undefined)].map(({ body }) => String(body)));
  assert.equal(bodies[0], ['{"c":[{"d":"x"},3],"e":"y"}', '{"c":[{"d":"x"},3],"e":"y"}']);
  assert.equal(bodies[2], ['"."', '']);
  assert.equal(bodies[4], ['{"c":[".",3],"e":"y"}', '{"c":[3],"e":"y"}']);
  assert.equal(bodies[5], ['{"c":[{"d":"."},3],"e":"y"}', '{"c":[{},3],"e":"y"}']);
  assert.equal(variations[0]?.make(undefined).fields, { b: '2' });
});

test.run();
