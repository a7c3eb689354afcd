// Replies of qmail-smtpd.c of notqmail, without line end.

export const OK = "250 ok";
export const FLUSHED = "250 flushed";
export const VRFY = "252 send some mail, i'll try my best";
export const HELP = "214 notqmail home page: https://notqmail.org";
export const GO_AHEAD = "354 go ahead";

export const UNIMPLEMENTED = "502 unimplemented (#5.5.1)";
export const SYNTAX = "555 syntax error (#5.5.4)";
export const MAIL_FIRST = "503 MAIL first (#5.5.1)";
export const RCPT_FIRST = "503 RCPT first (#5.5.1)";
export const BAD_MAIL_FROM = "553 sorry, your envelope sender is in my badmailfrom list (#5.7.1)";
export const NO_GATEWAY = "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)";
export const TOO_MANY_HOPS = "554 too many hops, this message is looping (#5.4.6)";
export const TOO_BIG = "552 sorry, that message size exceeds my databytes limit (#5.3.4)";
export const NO_QUEUE = "451 qqt failure (#4.3.0)";

// These end the session.
export const TIMEOUT = "451 timeout (#4.4.2)";
export const UNREADABLE_CONTROLS = "421 unable to read controls (#4.3.0)";
export const STRAY_NEWLINE = "451 See https://cr.yp.to/docs/smtplf.html.";

// Not of qmail.
export const STRAY_BYTE = "554 the message has a NUL, or a CR without LF (#5.6.0)";
export const TOO_MANY_RECIPIENTS = "452 too many recipients (#4.5.3)";
