export { ownsSender, type SenderPorts } from "./owns-sender.ts";
