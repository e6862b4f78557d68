/** `require('ringmq')` */
'use strict';
module.exports = require('./built.cjs')('index.cjs');
