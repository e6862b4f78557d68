/** What a format is, for people and for programs: layout, fields, and what a reader may not assume. */
import { diagram } from './diagram.ts';
import {
  type FieldSpec,
  type FormatSpec,
  fixedBytes,
  type PieceSpec,
  type SizeRule,
} from './formats/shape.ts';
import { capital, lower, wrapped } from './text.ts';

export function formatText(format: FormatSpec): string {
  const { title, by, about, written, code, pieces = [], members = [], beware } = format;
  let text = wrapped('', `${title} (${by}). ${about}`);
  text += wrapped('Written:  ', written);
  text += wrapped('Lies in:  ', `${format.paths.join(', ')}; layout: ${code}; integers are big-endian.`);
  for (const piece of pieces) text += pieceText(piece);
  if (members.length > 0) text += membersText(format);
  text += '\nWhat a reader may not assume\n';
  for (const { name, beware: warning } of pieces.flatMap(({ fields }) => fields))
    if (warning !== undefined) text += wrapped(`  - ${name}: `, lower(warning));
  for (const { path, beware: warning } of members)
    if (warning !== undefined) text += wrapped(`  - ${path}: `, lower(warning));
  for (const sentence of beware) text += wrapped('  - ', sentence);
  return text;
}

function pieceText(piece: PieceSpec): string {
  const names = Math.max(...piece.fields.map(({ name }) => name.length));
  let text = `\n${piece.name}: ${piece.place}\n${diagram(piece).join('\n')}\n`;
  for (const field of piece.fields)
    text += wrapped(
      `  ${field.name.padEnd(names)}  ${sizeWords(field).padEnd(10)}  `,
      `${capital(field.meaning)}. ${field.why}`,
    );
  return text;
}

function membersText({ members = [] }: FormatSpec): string {
  const names = Math.min(44, Math.max(...members.map(({ path }) => path.length)));
  let text = '\nmembers; * stands for any name, [] for the elements of a list\n';
  for (const { path, type, meaning } of members)
    text += wrapped(`  ${path.padEnd(names)}  `, `${capital(meaning)} (${type}).`);
  return text;
}

/** `i64`, `bytes 24`; the picture has what a size depends on. */
export function sizeWords(field: FieldSpec): string {
  return field.type === 'bytes' && typeof field.size === 'number' ? `bytes ${field.size}` : field.type;
}

export function formatJsonOf(format: FormatSpec): object {
  const { title, paths, by, about, written, code, pieces, members, beware } = format;
  return {
    ...{ title, paths, by, about, written, code },
    ...(pieces && { pieces: pieces.map(pieceJson) }),
    ...(members && { members }),
    mayNotBeAssumed: beware,
  };
}

function pieceJson({ name, place, fields }: PieceSpec): object {
  return {
    name,
    place,
    fields: fields.map((field) => ({
      name: field.name,
      type: field.type,
      bytes: fixedBytes(field) ?? (field.size as SizeRule).words,
      meaning: field.meaning,
      why: field.why,
      ...(field.beware !== undefined && { mayNotBeAssumed: field.beware }),
    })),
  };
}
