export { bestName } from "./best-name.ts";
export { HELLO_LIMIT, serverName } from "./client-hello.ts";
export { type CertificateFiles, parseCertificates } from "./parse.ts";
