export { Die, Trouble, Usage, verdict } from "./die.ts";
export { errno, errorOf, isTemporary, reason } from "./errno.ts";
export { HARD, MISUSED, OK, QLX_NFS, QLX_NOALIAS, QLX_SYS, REFUSED, SOFT } from "./exit.ts";
