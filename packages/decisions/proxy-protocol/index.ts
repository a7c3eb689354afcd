export { type ParsedProxyHeader, type ProxyEndpoint, type ProxyHeader, parseProxyHeader } from "./header.ts";
