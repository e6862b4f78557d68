/** What RocketMQ's keys `tls.*` come to, and the part of it that threads are given. */

export const TLS_MODES = ['disabled', 'permissive', 'enforcing'] as const;
export type TlsMode = (typeof TLS_MODES)[number];

export const CLIENT_AUTHS = ['none', 'optional', 'require'] as const;
export type ClientAuth = (typeof CLIENT_AUTHS)[number];

/** Paths and lists are '' where nothing is given. */
export interface TlsSettings {
  /** Whether ports take TLS beside plain text, or nothing else. */
  mode: TlsMode;
  /** Whether other servers are spoken to by TLS. */
  enable: boolean;
  configFile: string;
  /** A self-signed certificate for clients that trust every one; files are not looked at. */
  testMode: boolean;
  needClientAuth: ClientAuth;
  /** Whether a client's certificate must be signed by one that is trusted. */
  serverAuthClient: boolean;
  serverKeyPath: string;
  serverKeyPassword: string;
  serverCertPath: string;
  serverTrustCertPath: string;
  /** Whether a server's certificate must be signed by one that is trusted. */
  clientAuthServer: boolean;
  clientKeyPath: string;
  clientKeyPassword: string;
  clientCertPath: string;
  clientTrustCertPath: string;
  /** Names as Java has them, separated by commas. */
  ciphers: string;
  protocols: string;
}

/** RocketMQ's defaults. */
export const DEFAULT_TLS_SETTINGS: Readonly<TlsSettings> = {
  mode: 'permissive',
  enable: false,
  configFile: '/etc/rocketmq/tls.properties',
  testMode: true,
  needClientAuth: 'none',
  serverAuthClient: false,
  serverKeyPath: '',
  serverKeyPassword: '',
  serverCertPath: '',
  serverTrustCertPath: '',
  clientAuthServer: false,
  clientKeyPath: '',
  clientKeyPassword: '',
  clientCertPath: '',
  clientTrustCertPath: '',
  ciphers: '',
  protocols: '',
};

/** Ciphers and versions in OpenSSL's terms; empty = Node's own choice. */
export interface TlsTerms {
  ciphers?: string;
  minVersion?: 'TLSv1.2' | 'TLSv1.3';
  maxVersion?: 'TLSv1.2' | 'TLSv1.3';
}

/** Certificates and key as PEM texts, the key without a password. */
export interface PemTexts {
  key?: string;
  cert?: string;
  /** Whom to trust; without it, whoever the system's own list names. */
  ca?: string;
}

/** What a port needs to speak TLS; can be posted to a thread. */
export interface ServerTls {
  mode: TlsMode;
  terms: TlsTerms;
  clientAuth: ClientAuth;
  /** Whether a client's certificate must be signed by one that is trusted. */
  verifyClients: boolean;
  /** Undefined: a self-signed certificate is made when the first client asks for one. */
  pem: PemTexts | undefined;
}

/** What a connection to another server needs. */
export interface ClientTls {
  terms: TlsTerms;
  verifyServer: boolean;
  pem: PemTexts;
}
