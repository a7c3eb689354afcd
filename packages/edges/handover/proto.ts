/** PROTO in the environment of a worker. That of a connection has another one. */
export const WORKER_PROTO = "HANDOVER";

/** Was this program started by tcpserver-sql to serve many connections? */
export const isWorker = (): boolean => process.env.PROTO === WORKER_PROTO;
