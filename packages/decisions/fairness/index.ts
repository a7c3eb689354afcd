export { type FairQueue, openFairQueue } from "./fair-queue.ts";
export { openLedger } from "./ledger.ts";
export { type Counted, type LoginDelays, openLoginDelays } from "./login-delays.ts";
export { openRates } from "./rates.ts";
export { openShares, type Shares } from "./shares.ts";
