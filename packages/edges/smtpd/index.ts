export { isStock } from "./is-stock.ts";
export { type OpenSettings, readSettings } from "./settings.ts";
