/** PROTO in the environment of a worker, and of a monitor. That of a connection has another one. */
export const WORKER_PROTO = "HANDOVER";
export const MONITOR_PROTO = "MONITOR";

/** Was this program started by tcpserver-sql to serve many connections? */
export const isWorker = (): boolean => process.env.PROTO === WORKER_PROTO;

/** Was it started by tcpserver-sql -m, with its privileges, to be asked by such workers? */
export const isMonitor = (): boolean => process.env.PROTO === MONITOR_PROTO;
