export {
  type Certificate,
  decodeEnds,
  decodeOrder,
  type Ended,
  encodeCertificate,
  encodeConnection,
  encodeEnds,
  HEARTBEAT,
  isReady,
  PACKET_LIMIT,
} from "./packets.ts";
export { isWorker, WORKER_PROTO } from "./proto.ts";
export { type Handed, type ServeConnection, serveHanded } from "./worker.ts";
