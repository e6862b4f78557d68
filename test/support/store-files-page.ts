/** docs/store-files.md, and the table of checks in docs/log-tools.md, as made of the tables of `--explain`. */
import { CHECKS } from '../../src/cli/log/explain/checks.ts';
import { diagram, usualOffsets } from '../../src/cli/log/explain/diagram.ts';
import { sizeWords } from '../../src/cli/log/explain/format-text.ts';
import { FORMATS } from '../../src/cli/log/explain/formats/formats.ts';
import type { FormatSpec, MemberSpec, PieceSpec } from '../../src/cli/log/explain/formats/shape.ts';
import { capital, lower, wrapped } from '../../src/cli/log/explain/text.ts';

const INTRO = `# The files of a store

Every file that lies in a store, RocketMQ's and RingMQ's own: what it is for, its layout, each of its fields, and what a
reader may not assume. Integers are big-endian and signed, but for those that begin with \`u\`. Offsets behind an address
are those with IPv4.

\`ringmq log dump --explain FILE\` tells the same of a file that lies in front of you, with the bytes that stand in it, and
\`ringmq log dump DIR --at POSITION\` follows one message through all of them ([log-tools.md](log-tools.md)).
[ARCHITECTURE.md](../ARCHITECTURE.md#files) says how they are written and recovered. What stands here is made of the tables
in \`src/cli/log/explain/formats\`; tests hold these against the code that writes the files, and against stores of Apache
RocketMQ 5.5.0.
`;

export function storeFilesPage(): string {
  const overview = FORMATS.map(
    ({ title, paths, by }) => `| ${paths.map(code).join(', ')} | [${title}](#${anchorOf(title)}) | ${by} |`,
  );
  const table = ['| file | what | whose |', '|---|---|---|', ...overview].join('\n');
  return `${INTRO}\n${table}\n\n${FORMATS.map(section).join('\n')}`;
}

function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\w -]/g, '')
    .replaceAll(' ', '-');
}

function section(format: FormatSpec): string {
  const { title, paths, by, about, written, code: place, pieces = [], members = [], beware } = format;
  const parts = [
    `## ${title}`,
    about,
    `${paths.map(code).join(', ')}: ${by}. ${written} Layout: ${code(place)}.`,
  ];
  parts.push(...pieces.map((piece) => pieceText(piece, format)));
  if (members.length > 0) parts.push(membersTable(members));
  const warnings = [
    ...pieces.flatMap(({ fields }) => fields).map(({ name, beware: text }) => [name, text] as const),
    ...members.map(({ path, beware: text }) => [path, text] as const),
  ].flatMap(([name, text]) => (text === undefined ? [] : [item(`${code(name)}: ${lower(text)}`)]));
  parts.push('What a reader may not assume:', [...warnings, ...beware.map(item)].join('\n'));
  return `${parts.join('\n\n')}\n`;
}

function pieceText(piece: PieceSpec, { title }: FormatSpec): string {
  const offsets = usualOffsets(piece);
  const rows = piece.fields.map(
    (field, i) =>
      `| ${offsets[i] ?? '…'} | ${code(field.name)} | ${sizeWords(field)} | ${cell(`${capital(field.meaning)}. ${field.why}`)} |`,
  );
  const heading = prose(`**${capital(piece.name)}** of ${title}: ${piece.place}.`);
  const picture = `\`\`\`text\n${diagram(piece).join('\n')}\n\`\`\``;
  return [
    heading,
    picture,
    ['| offset | field | type | what it is for |', '|---:|---|---|---|', ...rows].join('\n'),
  ].join('\n\n');
}

function membersTable(members: readonly MemberSpec[]): string {
  const rows = members.map(({ path, type, meaning }) => `| ${code(path)} | ${type} | ${cell(meaning)} |`);
  return ['| member | type | meaning |', '|---|---|---|', ...rows].join('\n');
}

/** The rows of `log check`, by part. */
export function checksTable(): string {
  const rows = Object.entries(CHECKS).map(
    ([name, { part, what, why }]) => `| ${code(name)} | ${part} | ${cell(what)} | ${cell(why)} |`,
  );
  return ['| check | of | what | why |', '|---|---|---|---|', ...rows].join('\n');
}

const COLUMNS = 120;

function prose(text: string): string {
  return wrapped('', text, COLUMNS).trimEnd();
}

function item(text: string): string {
  return wrapped('- ', text, COLUMNS).trimEnd();
}

function code(text: string): string {
  return `\`${text}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('*', '\\*');
}
