export { dotQmail, enterHome, exists } from "./dot-qmail.ts";
export { hands } from "./hands.ts";
export { cannotRewind, message } from "./message.ts";
