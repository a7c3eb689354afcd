// Sessions of qmail-pop3d and qmail-popup, and what notqmail's answer (recorded from it; run with STOCK_QMAIL
// naming its home they are asked again). Bytes as latin1.

/** The Maildir of the sessions: a second between each file and the next. */
export const FILES: Readonly<Record<string, string>> = {
  "new/100.a": "Subject: a\n\n.dot\nbody\n",
  "cur/101.b:2,S": "S: b\n\nno lf\n..x",
  "new/102.c": "",
  "cur/103.d": "H: 1\nH2: 2\n\nl1\nl2\nl3\n",
  "cur/104.crlf": "A: b\r\n\r\n.x\r\n",
  "cur/105.nul:2,": "A: \0\xff\n\n\0.\n.\n..\n\n",
  "new/.hidden": "x",
};

/** [what the client sends, what it gets behind the greeting, the files afterwards where they change] */
export type Case = readonly [string, string, string?];

export const POP3D: readonly Case[] = [
  ["", ""],
  ["STAT\r\n", "+OK 6 86\r\n"],
  [
    "LIST\nLIST 1\nLIST 9\nLIST 7\nLIST 0\nLIST x\nLIST \nLIST  2\nLIST 2x\nlist 1 2\n",
    "+OK \r\n1 22\r\n2 15\r\n3 0\r\n4 21\r\n5 12\r\n6 16\r\n.\r\n+OK 1 22\r\n-ERR not that many messages\r\n-ERR not that many messages\r\n-ERR messages are counted from 1\r\n-ERR syntax error\r\n+OK \r\n1 22\r\n2 15\r\n3 0\r\n4 21\r\n5 12\r\n6 16\r\n.\r\n+OK 2 15\r\n+OK 2 15\r\n+OK 1 22\r\n",
  ],
  [
    "UIDL\r\nUIDL 2\r\nuidl 9999999999\r\nUIDL -1\r\nUIDL\x091\r\n",
    "+OK \r\n1 100.a\r\n2 101.b\r\n3 102.c\r\n4 103.d\r\n5 104.crlf\r\n6 105.nul\r\n.\r\n+OK 2 101.b\r\n-ERR not that many messages\r\n-ERR syntax error\r\n-ERR unimplemented\r\n",
  ],
  ["RETR 1\r\n", "+OK \r\nSubject: a\r\n\r\n..dot\r\nbody\r\n\r\n.\r\n"],
  ["RETR 2\r\n", "+OK \r\nS: b\r\n\r\nno lf\r\n...x\r\n\r\n.\r\n"],
  ["RETR 3\r\n", "+OK \r\n\r\n.\r\n"],
  ["RETR 4\r\n", "+OK \r\nH: 1\r\nH2: 2\r\n\r\nl1\r\nl2\r\nl3\r\n\r\n.\r\n"],
  ["RETR 5\r\n", "+OK \r\nA: b\r\r\n\r\r\n..x\r\r\n\r\n.\r\n"],
  ["RETR 6\r\n", "+OK \r\nA: \x00\xff\r\n\r\n\x00.\r\n..\r\n...\r\n\r\n\r\n.\r\n"],
  ["TOP 1 0\r\n", "+OK \r\nSubject: a\r\n\r\n\r\n.\r\n"],
  ["TOP 1 1\r\n", "+OK \r\nSubject: a\r\n\r\n..dot\r\n\r\n.\r\n"],
  ["TOP 1 2\r\n", "+OK \r\nSubject: a\r\n\r\n..dot\r\nbody\r\n\r\n.\r\n"],
  ["TOP 4 0\r\n", "+OK \r\nH: 1\r\nH2: 2\r\n\r\n\r\n.\r\n"],
  ["TOP 4 1\r\n", "+OK \r\nH: 1\r\nH2: 2\r\n\r\nl1\r\n\r\n.\r\n"],
  ["TOP 4 2\r\n", "+OK \r\nH: 1\r\nH2: 2\r\n\r\nl1\r\nl2\r\n\r\n.\r\n"],
  ["TOP 6 0\r\n", "+OK \r\nA: \x00\xff\r\n\r\n\r\n.\r\n"],
  ["TOP 6 1\r\n", "+OK \r\nA: \x00\xff\r\n\r\n\x00.\r\n\r\n.\r\n"],
  ["TOP 6 2\r\n", "+OK \r\nA: \x00\xff\r\n\r\n\x00.\r\n..\r\n\r\n.\r\n"],
  ["TOP 2 1\r\n", "+OK \r\nS: b\r\n\r\nno lf\r\n\r\n.\r\n"],
  ["TOP 5 0\r\n", "+OK \r\nA: b\r\r\n\r\r\n..x\r\r\n\r\n.\r\n"],
  ["TOP 4 3\r\n", "+OK \r\nH: 1\r\nH2: 2\r\n\r\nl1\r\nl2\r\nl3\r\n\r\n.\r\n"],
  [
    "TOP\r\nTOP x\r\nTOP 0 1\r\nTOP 7 1\r\nRETR\r\nRETR a\r\nRETR 7\r\n",
    "-ERR syntax error\r\n-ERR syntax error\r\n-ERR messages are counted from 1\r\n-ERR not that many messages\r\n-ERR syntax error\r\n-ERR syntax error\r\n-ERR not that many messages\r\n",
  ],
  ["TOP 4\r\n", "+OK \r\nH: 1\r\nH2: 2\r\n\r\nl1\r\nl2\r\nl3\r\n\r\n.\r\n"],
  ["TOP 4 x\r\n", "+OK \r\nH: 1\r\nH2: 2\r\n\r\nl1\r\nl2\r\nl3\r\n\r\n.\r\n"],
  ["TOP 4x 1\r\n", "+OK \r\nH: 1\r\nH2: 2\r\n\r\nl1\r\nl2\r\nl3\r\n\r\n.\r\n"],
  ["TOP 4   1\r\n", "+OK \r\nH: 1\r\nH2: 2\r\n\r\nl1\r\n\r\n.\r\n"],
  ["TOP 4 1x\r\n", "+OK \r\nH: 1\r\nH2: 2\r\n\r\nl1\r\n\r\n.\r\n"],
  ["RETR 4 1\r\n", "+OK \r\nH: 1\r\nH2: 2\r\n\r\nl1\r\n\r\n.\r\n"],
  [
    "DELE 1\r\nDELE 1\r\nRETR 1\r\nTOP 1 0\r\nLIST 1\r\nUIDL 1\r\nLIST\r\nUIDL\r\nSTAT\r\nLAST\r\nDELE 4\r\nLAST\r\nDELE 2\r\nLAST\r\nRSET\r\nLAST\r\nSTAT\r\n",
    "+OK \r\n-ERR already deleted\r\n-ERR already deleted\r\n-ERR already deleted\r\n-ERR already deleted\r\n-ERR already deleted\r\n+OK \r\n2 15\r\n3 0\r\n4 21\r\n5 12\r\n6 16\r\n.\r\n+OK \r\n2 101.b\r\n3 102.c\r\n4 103.d\r\n5 104.crlf\r\n6 105.nul\r\n.\r\n+OK 6 64\r\n+OK 1\r\n+OK \r\n+OK 4\r\n+OK \r\n+OK 4\r\n+OK \r\n+OK 0\r\n+OK 6 86\r\n",
  ],
  [
    "QUIT\r\nNOOP\r\n",
    "+OK \r\n",
    "cur/100.a:2, cur/101.b:2,S cur/102.c:2, cur/103.d cur/104.crlf cur/105.nul:2, new/.hidden",
  ],
  [
    "DELE 1\r\nDELE 2\r\nQUIT\r\n",
    "+OK \r\n+OK \r\n+OK \r\n",
    "cur/102.c:2, cur/103.d cur/104.crlf cur/105.nul:2, new/.hidden",
  ],
  ["DELE 1\r\nDELE 2\r\n", "+OK \r\n+OK \r\n"],
  [
    "NOOP\r\nnoop x\r\nUSER a\r\nPASS b\r\nXTND\r\nAUTH\r\n\r\n\n \r\n QUIT\r\n",
    "+OK \r\n+OK \r\n-ERR unimplemented\r\n-ERR unimplemented\r\n-ERR unimplemented\r\n-ERR unimplemented\r\n-ERR unimplemented\r\n-ERR unimplemented\r\n-ERR unimplemented\r\n-ERR unimplemented\r\n",
  ],
  [
    "QUIT\x00junk\r\n",
    "+OK \r\n",
    "cur/100.a:2, cur/101.b:2,S cur/102.c:2, cur/103.d cur/104.crlf cur/105.nul:2, new/.hidden",
  ],
  ["LIST 1\x00 2\r\n", "+OK 1 22\r\n"],
  ["NO\x00OP\r\nNO", "-ERR unimplemented\r\n"],
  [
    "\xff\xfe\r\n\x00\r\nQUIT x\r\n",
    "-ERR unimplemented\r\n-ERR unimplemented\r\n+OK \r\n",
    "cur/100.a:2, cur/101.b:2,S cur/102.c:2, cur/103.d cur/104.crlf cur/105.nul:2, new/.hidden",
  ],
  ["NOOP\r\r\n", "-ERR unimplemented\r\n"],
  [
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\nNOOP\r\n",
    "-ERR unimplemented\r\n+OK \r\n",
  ],
];

/** With a subprogram that shows what it is given. */
export const POPUP: readonly (readonly [string, string])[] = [
  ["", "+OK <PID.TIME@host>\r\n"],
  ["QUIT\r\n", "+OK <PID.TIME@host>\r\n+OK \r\n"],
  ["quit\nNOOP\n", "+OK <PID.TIME@host>\r\n+OK \r\n"],
  [
    "NOOP\r\nnoop x\r\nSTAT\r\nAUTH\r\n\r\n \r\nUSER\r\nUSER \r\nPASS x\r\nAPOP\r\nAPOP x\r\nQUIT\r\n",
    "+OK <PID.TIME@host>\r\n+OK \r\n+OK \r\n-ERR authorization first\r\n-ERR authorization first\r\n-ERR authorization first\r\n-ERR authorization first\r\n-ERR syntax error\r\n-ERR syntax error\r\n-ERR USER first\r\n-ERR syntax error\r\n-ERR syntax error\r\n+OK \r\n",
  ],
  [
    "USER joe\r\nPASS\r\nPASS \r\nQUIT\r\n",
    "+OK <PID.TIME@host>\r\n+OK \r\n-ERR syntax error\r\n-ERR syntax error\r\n+OK \r\n",
  ],
  ["USER joe\r\nPASS secret\r\n", "+OK <PID.TIME@host>\r\n+OK \r\njoe|secret|<PID.TIME@host>|"],
  [
    "user  joe \r\npass   two  words \r\n",
    "+OK <PID.TIME@host>\r\n+OK \r\njoe |two  words |<PID.TIME@host>|",
  ],
  ["USER a\r\nUSER b\r\nPASS c\r\n", "+OK <PID.TIME@host>\r\n+OK \r\n+OK \r\nb|c|<PID.TIME@host>|"],
  ["USER a\x00b\r\nPASS c\x00d\r\n", "+OK <PID.TIME@host>\r\n+OK \r\na|c|<PID.TIME@host>|"],
  ["USER \xe9\xff\r\nPASS \xc3\xa9\r\n", "+OK <PID.TIME@host>\r\n+OK \r\n\xe9\xff|\xc3\xa9|<PID.TIME@host>|"],
  ["APOP joe 0123456789abcdef\r\n", "+OK <PID.TIME@host>\r\njoe|0123456789abcdef|<PID.TIME@host>|"],
  ["APOP joe  x y \r\n", "+OK <PID.TIME@host>\r\njoe| x y |<PID.TIME@host>|"],
  ["APOP joe \r\n", "+OK <PID.TIME@host>\r\njoe||<PID.TIME@host>|"],
  ["USER joe\nPASS secret\n", "+OK <PID.TIME@host>\r\n+OK \r\njoe|secret|<PID.TIME@host>|"],
  ["USER joe\r\nPASS sec\r\r\n", "+OK <PID.TIME@host>\r\n+OK \r\njoe|sec\r|<PID.TIME@host>|"],
  ["USER joe\r\nPASS secret", "+OK <PID.TIME@host>\r\n+OK \r\n"],
  [
    "USER uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu\r\nPASS pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp\r\n",
    "+OK <PID.TIME@host>\r\n+OK \r\nuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu|pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp|<PID.TIME@host>|",
  ],
];

const LOGIN = "+OK <PID.TIME@host>\r\n+OK \r\n";

/** How the subprogram ends, stock's reply, and ours where it differs: the response codes of RFC 3206. */
export const ENDINGS: readonly (readonly [string, string, string?])[] = [
  ["exit 0", LOGIN],
  ["exit 1", `${LOGIN}-ERR authorization failed\r\n`, `${LOGIN}-ERR [AUTH] authorization failed\r\n`],
  ["exit 2", `${LOGIN}-ERR authorization failed\r\n`],
  ["exit 3", `${LOGIN}-ERR authorization failed\r\n`],
  [
    "exit 111",
    `${LOGIN}-ERR authorization failed\r\n`,
    `${LOGIN}-ERR [SYS/TEMP] unable to check the password, try again later\r\n`,
  ],
  ["exit 255", `${LOGIN}-ERR authorization failed\r\n`],
  ["kill -KILL $$", `${LOGIN}-ERR aack, child crashed\r\n`],
  ["kill -TERM $$", `${LOGIN}-ERR aack, child crashed\r\n`],
  ["echo served; exit 0", `${LOGIN}served\n`],
];
