-- The tables of qmail/MySQL, for SQLite. NOCASE compares as MySQL's collations do, for ASCII letters.

-- The mail programs may only read. A WAL would need more, and so does a change that was interrupted: this ends both.
PRAGMA journal_mode = DELETE;

CREATE TABLE IF NOT EXISTS mailbox (
  username      TEXT COLLATE NOCASE NOT NULL PRIMARY KEY,
  uid           INTEGER NOT NULL,
  gid           INTEGER NOT NULL,
  home          TEXT NOT NULL,
  password      TEXT NOT NULL DEFAULT '',
  password_type TEXT NOT NULL DEFAULT 'Password'
    CHECK (password_type IN ('Password', 'Crypt-Password', 'MySQL-Password')),
  suspended     TEXT NOT NULL DEFAULT 'N' CHECK (suspended IN ('N', 'Y'))
);

CREATE TABLE IF NOT EXISTS alias (
  username       TEXT COLLATE NOCASE NOT NULL,
  alias          TEXT COLLATE NOCASE NOT NULL DEFAULT '',
  alias_username TEXT NOT NULL DEFAULT '',
  alias_host     TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS alias_controlling ON alias (username, alias);

CREATE TABLE IF NOT EXISTS "virtual" (
  username         TEXT COLLATE NOCASE NOT NULL,
  ext              TEXT NOT NULL DEFAULT '',
  virtual_username TEXT COLLATE NOCASE NOT NULL DEFAULT '',
  virtual_host     TEXT COLLATE NOCASE NOT NULL
);
CREATE INDEX IF NOT EXISTS virtual_address ON "virtual" (virtual_host, virtual_username);

CREATE TABLE IF NOT EXISTS rcpthosts (
  host TEXT COLLATE NOCASE NOT NULL PRIMARY KEY
);

-- Who may relay: vpopmail's table, with the user's name added. A row is an address with the time of its last
-- login, or a netblock (10.1.0.0/16, 10.1., 2001:db8:); a time of NULL or 0 never expires.
CREATE TABLE IF NOT EXISTS relay (
  ip_addr   TEXT COLLATE NOCASE NOT NULL PRIMARY KEY,
  timestamp INTEGER,
  user      TEXT NOT NULL DEFAULT ''
);
