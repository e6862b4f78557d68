/** Where a user's files lie by default. */
import { homedir } from 'node:os';

/** `/` for a user who has no home: neither HOME nor an entry in /etc/passwd, as in some containers. */
export function homeFolder(): string {
  try {
    return homedir();
  } catch {
    return '/';
  }
}
