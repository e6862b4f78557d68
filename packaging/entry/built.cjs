/** What stands in for the bundles in package.json: they are not there in a clone that was never set up. */
'use strict';
const { existsSync } = require('node:fs');
const { join } = require('node:path');

const packageFolder = join(__dirname, '../..');

/** Loads a bundle, or throws a sentence that says what to do first. */
module.exports = function requireBuilt(name) {
  const path = join(packageFolder, 'dist/bundle', name);
  if (existsSync(path)) return require(path);
  const error = new Error(
    `RingMQ in ${packageFolder} is not set up yet. Run "npm run setup" there; it installs packages and builds.`,
  );
  error.code = 'RINGMQ_NOT_SET_UP';
  throw error;
};
