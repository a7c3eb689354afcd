export { Die, Trouble, Usage, verdict } from "./die.ts";
export { errno, errorOf, isTemporary, reason } from "./errno.ts";
export {
  HARD,
  MISUSED,
  OK,
  QLX_CDB,
  QLX_EXECHARD,
  QLX_EXECPW,
  QLX_EXECSOFT,
  QLX_NFS,
  QLX_NOALIAS,
  QLX_NOMEM,
  QLX_ROOT,
  QLX_SYS,
  QLX_USAGE,
  REFUSED,
  SOFT,
} from "./exit.ts";
