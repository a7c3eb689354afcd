export { type ParsedProxyHeader, type ProxyHeader, parseProxyHeader } from "./header.ts";
