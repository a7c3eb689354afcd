export { deliveryPorts } from "./delivery-ports.ts";
export { dotQmail, enterHome, exists } from "./dot-qmail.ts";
export { cannotRewind, message } from "./message.ts";
