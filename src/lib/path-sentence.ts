/** What is the matter with a path, by the system's code, and what to do: for the command line and for programs. */

const PATH_SENTENCES: Readonly<Record<string, (elsewhere: string) => string>> = {
  ENOENT: (elsewhere) => `does not exist and cannot be made there. ${elsewhere}`,
  EEXIST: () => 'has to be a directory, and is none. Move away what is there, or choose another place',
  ENOTDIR: () => 'leads through something that is no directory. Move it away, or choose another place',
  EISDIR: () => 'is a directory, and has to be a file. Move it away',
  EACCES: (elsewhere) =>
    `may not be used by this user. Give it the right to read and write there. ${elsewhere}`,
  EPERM: (elsewhere) => `may not be used by this user. ${elsewhere}`,
  EROFS: (elsewhere) => `is on a file system that can only be read. ${elsewhere}`,
  ENOSPC: () => 'finds no room: the disk is full. Free some space and start again',
  EDQUOT: () => "finds no room: this user's quota is used up. Free some space and start again",
  ENAMETOOLONG: (elsewhere) => `is too long. ${elsewhere}`,
  ELOOP: () => 'leads through symbolic links that go round in circles. Mend them, or choose another place',
};

/** Undefined for an error that is about no path. `elsewhere`: how another place is chosen, without a period. */
export function pathSentence(
  error: NodeJS.ErrnoException & { dest?: string },
  { elsewhere }: { elsewhere: string },
): string | undefined {
  const { code } = error;
  // Of a rename, what was in the way is where it led.
  const path = error.dest ?? error.path;
  if (path === undefined || code === undefined) return undefined;
  const reading = code === 'ENOENT' && error.syscall !== 'mkdir';
  const sentence = reading ? 'does not exist' : PATH_SENTENCES[code]?.(elsewhere);
  return sentence === undefined
    ? `${path} cannot be used (${code}): check its kind and rights, or choose another place.`
    : `${path} ${sentence}.`;
}
