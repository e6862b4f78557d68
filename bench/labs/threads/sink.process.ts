/** Takes what the lab "zero-copy" sends, in one static buffer, and throws it away. Its argument is the port. */
import net from 'node:net';

const buffer = new Uint8Array(1 << 20);

const socket = net.connect({
  host: '127.0.0.1',
  port: Number(process.argv[2]),
  onread: { buffer, callback: () => true },
});
socket.on('error', () => process.exit());
process.once('disconnect', () => process.exit());
