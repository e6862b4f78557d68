/** Acts around TLS: handshakes that stall or are left, and nonsense under and inside of the encryption. */
import { connect, type TLSSocket } from 'node:tls';
import type { Act, Scene } from './act.ts';
import { PATIENCE_MS, within } from './act.ts';
import type { Talk } from './talk.ts';

/** A record that says that it is a handshake, and the beginning of a hello. */
const HELLO = Buffer.from('16030100c8010000c40303', 'hex');
const APPLICATION_DATA = 0x17;

const stalledHandshakes: Act = async (scene) => {
  const address = scene.somewhere();
  for (let n = scene.random.int(1, 30); n > 0; n--) {
    const talk = await scene.open(address);
    await within(talk.write(HELLO.subarray(0, scene.random.int(1, HELLO.length))));
    scene.leave(talk);
  }
};

/** The client's side over an open connection; errors are the point of these acts. */
function secure({ random }: Scene, talk: Talk): TLSSocket {
  const maxVersion = random.pick(['TLSv1.2', 'TLSv1.3'] as const);
  const socket = connect({ socket: talk.socket, rejectUnauthorized: false, maxVersion });
  socket.on('error', () => {});
  return socket;
}

function handshake(socket: TLSSocket): Promise<void> {
  return within(
    new Promise((resolve) => {
      socket.once('secureConnect', resolve);
      socket.once('close', resolve);
    }),
    PATIENCE_MS,
  );
}

const handshakesLeft: Act = async (scene) => {
  const talks = await Promise.all(
    Array.from({ length: scene.random.int(2, 20) }, () => scene.open(scene.somewhere())),
  );
  for (const talk of talks) {
    secure(scene, talk);
    await new Promise(setImmediate);
    scene.leave(talk);
  }
};

const noiseInside: Act = async (scene) => {
  const talk = await scene.open(scene.somewhere());
  const socket = secure(scene, talk);
  await handshake(socket);
  for (let n = scene.random.int(1, 20); n > 0 && !socket.destroyed; n--) {
    socket.write(scene.random.bytes(scene.random.int(1, 3000)));
  }
  scene.leave(talk);
};

const noiseUnder: Act = async (scene) => {
  const talk = await scene.open(scene.somewhere());
  await handshake(secure(scene, talk));
  const noise = scene.random.bytes(scene.random.int(1, 2000));
  const record = Buffer.from([APPLICATION_DATA, 3, 3, noise.length >> 8, noise.length & 0xff]);
  await within(talk.write(scene.random.chance(0.5) ? Buffer.concat([record, noise]) : noise));
  scene.leave(talk);
};

const handshakeAgain: Act = async (scene) => {
  const talk = await scene.open(scene.somewhere());
  const socket = connect({ socket: talk.socket, rejectUnauthorized: false, maxVersion: 'TLSv1.2' });
  socket.on('error', () => {});
  await handshake(socket);
  for (let n = 0; n < 5 && !socket.destroyed; n++) {
    await within(new Promise((resolve) => void socket.renegotiate({}, resolve)), 200);
  }
  scene.leave(talk);
};

export const actsOfTls: Readonly<Record<string, Act>> = {
  stalledHandshakes,
  handshakesLeft,
  noiseInside,
  noiseUnder,
  handshakeAgain,
};
