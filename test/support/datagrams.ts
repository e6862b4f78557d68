// What is sent to a datagram socket of this system, as a service manager has one; Node.js has none, python3 does.

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { until } from './sockets-rig.ts';

const RECEIVER = `
import json, socket, sys
name = sys.argv[1]
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind('\\0' + name[1:] if name.startswith('@') else name)
print('', flush=True)
while True:
    print(json.dumps(receiver.recv(65536).decode()), flush=True)
`;

export class Datagrams {
  readonly texts: string[] = [];
  readonly #child: ChildProcess;
  #isBound = false;

  private constructor(name: string) {
    this.#child = spawn('python3', ['-c', RECEIVER, name], { stdio: ['ignore', 'pipe', 'inherit'] });
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      if (line === '') this.#isBound = true;
      else this.texts.push(JSON.parse(line));
    });
  }

  /** `name`: a path, or an abstract name behind an @. */
  static async listen(name: string): Promise<Datagrams> {
    const datagrams = new Datagrams(name);
    await until(`somebody listens at ${name}`, () => datagrams.#isBound);
    return datagrams;
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }
}
