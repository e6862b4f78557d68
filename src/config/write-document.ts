/** Run by hand after a change of the table of keys; a test says when that is due. */
import { writeFileSync } from 'node:fs';
import { configurationDocument } from './document.ts';

writeFileSync('docs/configuration.md', configurationDocument());
