/**
 * Prints the folders of the C++ headers for binding.gyp, one a line: those of the packages in a clone, those that the
 * tarball carries along (packaging/prepare.mjs puts them there) where the package is installed.
 */
'use strict';
const { join, relative, resolve } = require('node:path');

/** Packages whose headers the addon includes. */
const HEADER_PACKAGES = ['node-api-headers', 'node-addon-api'];

/** Where the tarball has them. */
const CARRIED = join(__dirname, '../prebuilds/include');

function headerFolders() {
  try {
    return HEADER_PACKAGES.map((name) => resolve(require(name).include_dir));
  } catch (error) {
    if (error.code !== 'MODULE_NOT_FOUND') throw error;
    return HEADER_PACKAGES.map((name) => join(CARRIED, name));
  }
}

module.exports = { CARRIED, HEADER_PACKAGES, headerFolders };

// Relative, so that a blank in the path of the project does no harm.
if (require.main === module)
  console.log(
    headerFolders()
      .map((folder) => relative('.', folder))
      .join('\n'),
  );
