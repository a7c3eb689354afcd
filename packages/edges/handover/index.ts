export {
  type Certificate,
  decodeEnds,
  decodeOrder,
  type Ended,
  encodeCertificate,
  encodeConnection,
  encodeEnds,
  encodeMonitor,
  HEARTBEAT,
  isReady,
  PACKET_LIMIT,
} from "./packets.ts";
export { isMonitor, isWorker, MONITOR_PROTO, WORKER_PROTO } from "./proto.ts";
export { type Handed, type ServeConnection, serveHanded } from "./worker.ts";
