#!/usr/bin/env node
/** The command `ringmq` of an installed package or a linked clone. */
'use strict';
const requireBuilt = require('./built.cjs');

try {
  requireBuilt('main.cjs');
} catch (error) {
  if (error.code !== 'RINGMQ_NOT_SET_UP') throw error;
  console.error(error.message);
  process.exitCode = 1;
}
