/** Client languages in the order of their numbers in the binary header. */
const languages = [
  'JAVA',
  'CPP',
  'DOTNET',
  'PYTHON',
  'DELPHI',
  'ERLANG',
  'RUBY',
  'OTHER',
  'HTTP',
  'GO',
  'PHP',
  'OMS',
  'RUST',
  'NODE_JS',
] as const;

const UNKNOWN_LANGUAGE = 'OTHER';

export function languageByNumber(number: number): string {
  return languages[number] ?? UNKNOWN_LANGUAGE;
}

/** The number that the binary header carries; names that it has no number for become OTHER. */
export function languageNumber(name: string): number {
  const number = (languages as readonly string[]).indexOf(name);
  return number >= 0 ? number : languages.indexOf(UNKNOWN_LANGUAGE);
}
