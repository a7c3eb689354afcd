export { type Configured, type ExtensionPorts, extensionsOf } from "./extensions.ts";
export { type Plugins, parsePlugins } from "./plugin-config.ts";
export type { ProgramEnd, RunProgram, Variables } from "./programs.ts";
export { type EsmtpSettings, parseSmtpd, STOCK } from "./settings.ts";
