export { assignedIn, withCdb } from "./cdb-file.ts";
export { entries, rcptHosts, sendControls } from "./controls.ts";
export { recipientControls, type WatchedControls, watchControls } from "./recipient-controls.ts";
