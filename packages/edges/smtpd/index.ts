export { type OpenSettings, readSettings } from "./settings.ts";
