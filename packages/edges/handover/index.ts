export {
  type Certificate,
  decodeEnds,
  decodeOrder,
  type Ended,
  encodeCertificate,
  encodeConnection,
  encodeEnds,
  isReady,
  PACKET_LIMIT,
} from "./packets.ts";
export { type Handed, isWorker, type ServeConnection, serveHanded, WORKER_PROTO } from "./worker.ts";
