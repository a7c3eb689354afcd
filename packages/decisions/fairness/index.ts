export { openRates } from "./rates.ts";
export { openShares, type Shares } from "./shares.ts";
