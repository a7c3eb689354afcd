export { type FairQueue, openFairQueue } from "./fair-queue.ts";
export { openLedger } from "./ledger.ts";
export { openRates } from "./rates.ts";
export { openShares, type Shares } from "./shares.ts";
