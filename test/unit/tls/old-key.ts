/**
 * A key that nobody uses, as `openssl pkcs8 -topk8 -v1 PBE-SHA1-RC4-128` encrypts it, and the same key in the clear:
 * the OpenSSL in Node makes no such thing any more.
 */

export const OLD_KEY_PASSWORD = 'old password';

export const OLD_KEY = `-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGrMBwGCiqGSIb3DQEMAQEwDgQIuiyqqanmC0ACAggABIGK34ucdu/rsRmBAeeB
Pd9ZBnaNC8Xu6hBmT/Xp7IHqOIYs8FE4XyR269twi3X5gBGp3ldhJYvsBxVTty6/
Q+TAYw+MXSp8yyG+7NVoHmk3VzPf1DI0Ul8eo+eZ9g2lXvs2GGfnEPe6I1MSRwRg
4xaRa6LNcYm9jve5j9YPGWtACYumBEI3abcbiTxh
-----END ENCRYPTED PRIVATE KEY-----
`;

export const OLD_KEY_PLAIN = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgb+vJBZ6+67mMQToC
sBW2O4oe4FbXMRNsEw/73tnAc72hRANCAATmXMvVzZMkZzl38EEmt0iQDCzb1oeT
en8zku4lNQYn4RONUCQmhg1qIhwH+h1JmFgy9yvU5kZEjFsLgui0MAVF
-----END PRIVATE KEY-----
`;
