/**
 * Offset message ids: upper-case hex of the store host's address (4 or 16 bytes), its port (4) and the physical
 * offset (8); 32 or 56 characters. Clients dial the host found in it, so the host must be the advertised one.
 */

export interface HostAddress {
  /** 4 or 16 raw bytes. */
  address: Uint8Array;
  port: number;
}

export function encodeMessageId(host: HostAddress, physicalOffset: number): string {
  const id = Buffer.alloc(host.address.length + 12);
  id.set(host.address, 0);
  id.writeInt32BE(host.port, host.address.length);
  id.writeBigInt64BE(BigInt(physicalOffset), host.address.length + 4);
  return id.toString('hex').toUpperCase();
}

/** The parts of an offset message id, or undefined when the text is none. */
export function decodeMessageId(id: string): { host: HostAddress; physicalOffset: number } | undefined {
  if ((id.length !== 32 && id.length !== 56) || !/^[0-9a-fA-F]+$/.test(id)) return undefined;
  const bytes = Buffer.from(id, 'hex');
  const addressLength = bytes.length - 12;
  return {
    host: { address: bytes.subarray(0, addressLength), port: bytes.readInt32BE(addressLength) },
    physicalOffset: Number(bytes.readBigInt64BE(addressLength + 4)),
  };
}
