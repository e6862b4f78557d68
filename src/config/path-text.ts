/** Directories as configuration files and shells write them: which of it is replaced, and what is refused. */
import { homeFolder } from '../lib/home-folder.ts';

/** Java's and the shell's words for the home directory, where a path begins with one. */
const HOME = /^(?:~|\$HOME|\$\{HOME\}|\$\{user\.home\})(?=\/|$)/;
const VARIABLE = /\$\{[^}]*\}?|\$\(|\$\w+|%[A-Z_]+%/;
const OTHER_HOME = /^~[^/]+/;
const QUOTED = /^["']|["']$/;
const SCHEME = /^[a-z][\w+.-]*:\/\//i;
/** Properties files lose single backslashes: `C:\store` arrives as `C:store`. */
const WINDOWS = /^[A-Za-z]:/;

/** The path with the home directory in its place; undefined when `pathProblem` has something to say. */
export function expandPath(given: string): string | undefined {
  return pathProblem(given) === undefined ? withHome(given) : undefined;
}

/** What is wrong with a path, as the end of a sentence. */
export function pathProblem(given: string): string | undefined {
  if (given === '') return 'it has to name a directory';
  if (QUOTED.test(given))
    return `quotes would be part of its name: write ${given.replace(/^["']|["']$/g, '')}`;
  if (SCHEME.test(given)) {
    const bare = given.replace(/^file:\/\//i, '');
    return `it has to be a directory of this machine, no URL: write ${bare.startsWith('/') ? bare : '/var/lib/ringmq'}`;
  }
  if (WINDOWS.test(given)) {
    return (
      'it looks like a path of Windows (a properties file loses single backslashes), and RingMQ runs on Linux: ' +
      'write a path like /var/lib/ringmq'
    );
  }
  const rest = given.replace(HOME, '');
  const unknown = VARIABLE.exec(rest)?.[0] ?? OTHER_HOME.exec(rest)?.[0];
  if (unknown !== undefined) {
    return (
      `${unknown} is not replaced here, and no directory gets such a name. Write the directory out; ` +
      `only ~, $HOME, \${HOME} and \${user.home} are replaced, at the beginning`
    );
  }
  if (given.includes(',')) return 'it has to be one directory: RingMQ does not spread a log over several';
  return undefined;
}

function withHome(given: string): string {
  // A function: `$` in a replacement text has a meaning of its own.
  return given.replace(HOME, () => homeFolder());
}
