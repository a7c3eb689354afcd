// Larger than 25 files or 1,200 lines: the extensions of a session, a file for each, which share its hooks and settings.
export { type Configured, type ExtensionPorts, extensionsOf } from "./extensions.ts";
export { type Plugins, parsePlugins } from "./plugin-config.ts";
export type { ProgramEnd, RunProgram, Variables } from "./programs.ts";
export { type EsmtpSettings, parseSmtpd, STOCK } from "./settings.ts";
