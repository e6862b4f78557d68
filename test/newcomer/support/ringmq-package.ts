// RingMQ's Debian package of these sources, and the one that would come after it.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { repository, temporaryFolder } from '../../interop/support/paths.ts';

export function builtPackage(): string {
  const script = join(repository, 'packaging/build-deb.mjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the package was not built:\n${stdout}\n${stderr}`);
  return /^(\S+): sha256 /m.exec(stdout)?.[1] as string;
}

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
