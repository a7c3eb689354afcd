export { openResolver, type ResolverSettings } from "./resolver.ts";
export { systemServers } from "./servers.ts";
