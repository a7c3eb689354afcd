export { isStock } from "./is-stock.ts";
export { type OpenSettings, readSettings, rememberingSettings } from "./settings.ts";
