// The Debian package that would come after the one of these sources.

import { spawnSync } from 'node:child_process';
import { temporaryFolder } from '../../interop/support/paths.ts';

/** The same package under a higher number, and with another line in a file that an administrator may have changed. */
export function newerThan(built: string): string {
  const folder = temporaryFolder('deb');
  const script = `
    dpkg-deb -R '${built}' '${folder}/stage'
    sed -i 's/^Version: .*/&+next/' '${folder}/stage/DEBIAN/control'
    echo '# a new line of the package' >> '${folder}/stage/etc/ringmq/broker.conf'
    dpkg-deb --root-owner-group -Znone --build '${folder}/stage' '${folder}/next.deb'`;
  const { status, stderr } = spawnSync('sh', ['-ec', script], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the newer package was not made:\n${stderr}`);
  return `${folder}/next.deb`;
}
