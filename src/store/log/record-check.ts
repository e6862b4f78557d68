/**
 * Is there a sound record at this place of the log? Recovery and `log check` trust nothing else.
 *
 * Checked: magic, size (against the file's end and against the sum of the parts), that the record names its own
 * position (RocketMQ does not check this; stale but well-formed bytes behind the tail would come back to life), the
 * body's CRC, and that topic and properties are text without NUL, which a page that never reached the disk is not.
 */
import { BLANK_BYTES, MAGIC_BLANK, MAGIC_V1, MAGIC_V2 } from '../../record/layout.ts';
import { bodyCrcOf, magicOf, physicalOffsetOf, RecordParts, totalSizeOf } from '../../record/view.ts';
import type { Mapping } from '../disk/disk.ts';

export type Unsound =
  | 'no magic'
  | 'size does not fit'
  | 'parts do not add up'
  | 'names another position'
  | 'body checksum differs'
  | 'topic or properties hold NUL bytes';

export class RecordCheck {
  /** Of the record found sound. */
  readonly parts = new RecordParts();
  /** Size of the record, or of the BLANK up to the end of the file. */
  size = 0;
  blank = false;
  /** Why the last `check` said no. */
  reason: Unsound = 'no magic';

  /** True for a sound record or BLANK at `at` of a file that starts at `fileStart`. */
  check(mapping: Mapping, at: number, fileStart: number, withCrc = true): boolean {
    const { view } = mapping;
    this.blank = false;
    if (at + BLANK_BYTES > mapping.size) return this.#no('size does not fit');
    const magic = magicOf(view, at);
    this.size = totalSizeOf(view, at);
    if (magic === MAGIC_BLANK) {
      this.blank = true;
      return this.size === mapping.size - at || this.#no('size does not fit');
    }
    if (magic !== MAGIC_V1 && magic !== MAGIC_V2) return this.#no('no magic');
    if (this.size <= 0 || at + this.size + BLANK_BYTES > mapping.size) return this.#no('size does not fit');
    if (!this.parts.locate(view, at, at + this.size) || this.parts.size !== this.size) {
      return this.#no('parts do not add up');
    }
    if (physicalOffsetOf(view, at) !== fileStart + at) return this.#no('names another position');
    if (withCrc && !this.#crcHolds(mapping, at)) return this.#no('body checksum differs');
    return this.#textHolds(mapping.bytes) || this.#no('topic or properties hold NUL bytes');
  }

  #crcHolds(mapping: Mapping, at: number): boolean {
    const { bodyOffset, bodyLength } = this.parts;
    return (
      bodyLength === 0 || (mapping.crc(bodyOffset, bodyLength) & 0x7fffffff) === bodyCrcOf(mapping.view, at)
    );
  }

  #textHolds(bytes: Uint8Array): boolean {
    const { topicOffset, topicLength, propertiesOffset, propertiesLength } = this.parts;
    if (topicLength === 0) return false;
    for (let i = topicOffset; i < topicOffset + topicLength; i++) if (bytes[i] === 0) return false;
    for (let i = propertiesOffset; i < propertiesOffset + propertiesLength; i++)
      if (bytes[i] === 0) return false;
    return true;
  }

  #no(reason: Unsound): false {
    this.reason = reason;
    return false;
  }
}
