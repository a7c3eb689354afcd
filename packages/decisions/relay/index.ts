export { type RelayAnswers, type RelayTableQuestions, relayAnswers } from "./answers.ts";
export { loginAddress } from "./login.ts";
export { mayRelay, relayWords } from "./may-relay.ts";
export { parseClient, parseNetblock } from "./netblock.ts";
export { type Netblocks, netblocks } from "./netblocks.ts";
export { clientsOf, type RelayClients, relayClients } from "./relay-clients.ts";
export { type RelayRow, type RelayRows, secondsLeft, spellings } from "./row.ts";
