export { acceptTls, type TlsInfo } from "./accept.ts";
export { type Contexts, openContexts } from "./contexts.ts";
