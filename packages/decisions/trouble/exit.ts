/** Exit codes. Those from 112 up are private to qmail-getpw and qmail-lspawn. */
export const OK = 0;
/** Of checkpassword: wrong password. */
export const REFUSED = 1;
/** Of checkpassword: wrong usage. */
export const MISUSED = 2;
/** Permanent error or wrong usage. */
export const HARD = 100;
/** Temporary error: the mail stays queued, the login may be tried again. The default of every program. */
export const SOFT = 111;
// qlx.h of qmail
export const QLX_USAGE = 112;
export const QLX_ROOT = 113;
export const QLX_NFS = 115;
export const QLX_NOALIAS = 116;
export const QLX_CDB = 117;
export const QLX_SYS = 118;
export const QLX_NOMEM = 119;
export const QLX_EXECSOFT = 120;
export const QLX_EXECPW = 121;
export const QLX_EXECHARD = 126;
