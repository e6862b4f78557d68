/**
 * Finds the properties that the broker itself looks at, in one pass over the bytes and without building strings.
 * A length of 0 means absent. One instance is reused for many records.
 */
import { PROPERTY_NAME_END, PROPERTY_VALUE_END } from './layout.ts';

const KEYS = 0x4b455953;
const TAGS = 0x54414753;
const WAIT = 0x57414954;
const UNIQ = 0x554e4951;
const _KEY = 0x5f4b4559;
const DELA = 0x44454c41;
const TRAC = 0x54524143;
const E_ON = 0x455f4f4e;
const TRAN = 0x5452414e;
const _MSG = 0x5f4d5347;
const TIME = 0x54494d45;
const MSG_ = 0x4d53475f;
const CLUS = 0x434c5553;
const POP_ = 0x504f505f;
const __CR = 0x5f5f4352;
const _SYS = 0x5f535953;
const INNE = 0x494e4e45;
const __LI = 0x5f5f4c49;
const R_MU = 0x525f4d55;
const LTI_ = 0x4c54495f;
const DISP = 0x44495350;
const ATCH = 0x41544348;
const QUEU = 0x51554555;
const FSET = 0x46534554;
/** Lengths of INNER_MULTI_DISPATCH and INNER_MULTI_QUEUE_OFFSET. */
const MULTI_DISPATCH = 20;
const MULTI_QUEUE_OFFSET = 24;
const Y = 0x59;

export class PropertyScan {
  tagsOffset = 0;
  tagsLength = 0;
  keysOffset = 0;
  keysLength = 0;
  uniqueKeyOffset = 0;
  uniqueKeyLength = 0;
  waitOffset = 0;
  waitLength = 0;
  delayOffset = 0;
  delayLength = 0;
  /** Of TRAN_MSG. */
  transactionOffset = 0;
  transactionLength = 0;
  /** A TIMER_* property is there. */
  timer = false;
  /**
   * Something that a broker writes itself is already there: MSG_REGION, TRACE_ON, CLUSTER, POP_CK, __CRC32#, INNER_*
   * or what is said of the checks of a transaction; or what it decides the queues by: _SYS_MSG_PRIORITY_,
   * __LITE_TOPIC.
   */
  brokerOwned = false;
  /** INNER_MULTI_DISPATCH and INNER_MULTI_QUEUE_OFFSET: the second queue of the message, and its number there. */
  secondOffset = 0;
  secondLength = 0;
  secondNumberOffset = 0;
  secondNumberLength = 0;
  /** Ends with \x02, so that further properties may be put behind. */
  terminated = false;
  /** Of all of them. */
  length = 0;

  /** TRAN_MSG is there, whatever its value. */
  get transactional(): boolean {
    return this.transactionLength > 0;
  }

  /** Scans bytes[from, to); offsets count from `origin`. */
  scan(bytes: Uint8Array, view: DataView, from: number, to: number, origin = 0): void {
    this.#forget();
    this.length = to - from;
    this.terminated = from === to || bytes[to - 1] === PROPERTY_VALUE_END;
    let at = from;
    while (at < to) {
      let nameEnd = at;
      while (nameEnd < to && bytes[nameEnd] !== PROPERTY_NAME_END && bytes[nameEnd] !== PROPERTY_VALUE_END)
        nameEnd++;
      let valueEnd = nameEnd;
      while (valueEnd < to && bytes[valueEnd] !== PROPERTY_VALUE_END) valueEnd++;
      // A name is looked at four bytes at a time, so only ones of at least four bytes matter here.
      if (nameEnd - at >= 4 && valueEnd - nameEnd > 1) {
        this.#classify(bytes, view, at, nameEnd - at, nameEnd + 1 - origin, valueEnd - nameEnd - 1);
      }
      at = valueEnd + 1;
    }
  }

  /** Offsets without a length mean nothing. */
  #forget(): void {
    this.tagsLength = 0;
    this.keysLength = 0;
    this.uniqueKeyLength = 0;
    this.waitLength = 0;
    this.delayLength = 0;
    this.transactionLength = 0;
    this.secondLength = 0;
    this.secondNumberLength = 0;
    this.timer = false;
    this.brokerOwned = false;
  }

  #classify(
    bytes: Uint8Array,
    view: DataView,
    name: number,
    length: number,
    value: number,
    size: number,
  ): void {
    const head = view.getInt32(name);
    switch (length) {
      case 4:
        if (head === TAGS) {
          this.tagsOffset = value;
          this.tagsLength = size;
        } else if (head === KEYS) {
          this.keysOffset = value;
          this.keysLength = size;
        } else if (head === WAIT) {
          this.waitOffset = value;
          this.waitLength = size;
        }
        break;
      case 5:
        if (head === DELA && bytes[name + 4] === Y) {
          this.delayOffset = value;
          this.delayLength = size;
        }
        break;
      case 8:
        this.#classifyEight(view, name, head, value, size);
        break;
      default:
        if (head === TIME && length > 6) this.timer = true;
        else if (head === TRAN || head === MSG_ || head === CLUS || head === POP_ || head === __CR)
          this.brokerOwned = true;
        else if (head === _SYS || head === __LI) this.brokerOwned = true;
        else if (head === INNE) this.#classifyInner(view, name, length, value, size);
    }
  }

  #classifyInner(view: DataView, name: number, length: number, value: number, size: number): void {
    this.brokerOwned = true;
    if (view.getInt32(name + 4) !== R_MU || view.getInt32(name + 8) !== LTI_) return;
    const third = view.getInt32(name + 12);
    if (length === MULTI_DISPATCH && third === DISP && view.getInt32(name + 16) === ATCH) {
      this.secondOffset = value;
      this.secondLength = size;
    } else if (length === MULTI_QUEUE_OFFSET && third === QUEU && view.getInt32(name + 20) === FSET) {
      this.secondNumberOffset = value;
      this.secondNumberLength = size;
    }
  }

  #classifyEight(view: DataView, name: number, head: number, value: number, size: number): void {
    const tail = view.getInt32(name + 4);
    if (head === UNIQ && tail === _KEY) {
      this.uniqueKeyOffset = value;
      this.uniqueKeyLength = size;
    } else if (head === TRAN && tail === _MSG) {
      this.transactionOffset = value;
      this.transactionLength = size;
    } else if ((head === TRAC && tail === E_ON) || head === __CR) {
      this.brokerOwned = true;
    }
  }
}
