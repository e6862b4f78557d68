// The official gRPC clients under test behind one function each: same commands, same arguments, same events.

import { grpcClassPath, java } from './jvm.ts';
import { nodeProgram } from './node.ts';
import { temporaryFolder } from './paths.ts';
import { Program } from './program.ts';

export interface GrpcKit {
  readonly name: string;
  /** Begins the names of what a test makes: letters only. */
  readonly id: string;
  start(endpoints: string): Program;
}

/** By TLS, as is its default, and without a look at the certificate, which the proxy has made for itself. */
export const javaGrpc: GrpcKit = {
  name: 'Java gRPC 5.2',
  id: 'java',
  start(endpoints) {
    const home = temporaryFolder('client'); // it logs under user.home
    const options = [
      '-Xmx256m',
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      '-Djava.net.preferIPv4Stack=true',
      `-Duser.home=${home}`,
      '-Drocketmq.log.level=WARN',
      '-Dfile.encoding=UTF-8',
    ];
    const args = ['interop.Grpc', '--endpoints', endpoints, '--tls', 'true'];
    return new Program('Grpc (Java)', java(), [...options, '-cp', grpcClassPath(), ...args]);
  },
};

/** Without TLS: it trusts no certificate that the proxy makes for itself. */
export const nodeGrpc: GrpcKit = {
  name: 'Node gRPC 1.0.8',
  id: 'node',
  start(endpoints) {
    const env = { HOME: temporaryFolder('client') }; // parts of it log there whatever logger they are given
    return new Program('Grpc (Node)', process.execPath, [nodeProgram(), '--endpoints', endpoints], { env });
  },
};
