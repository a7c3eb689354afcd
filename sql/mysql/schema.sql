-- The tables of qmail/MySQL, for MySQL and MariaDB. A database that already has them works as it is.

CREATE TABLE IF NOT EXISTS mailbox (
  username      VARCHAR(128) NOT NULL PRIMARY KEY,
  uid           INT UNSIGNED NOT NULL,
  gid           INT UNSIGNED NOT NULL,
  home          VARCHAR(255) NOT NULL,
  password      VARCHAR(255) NOT NULL DEFAULT '',
  password_type ENUM('Password', 'Crypt-Password', 'MySQL-Password') NOT NULL DEFAULT 'Password',
  suspended     ENUM('N', 'Y') NOT NULL DEFAULT 'N'
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS alias (
  username       VARCHAR(128) NOT NULL,
  alias          VARCHAR(255) NOT NULL DEFAULT '',
  alias_username VARCHAR(255) NOT NULL DEFAULT '',
  alias_host     VARCHAR(255) NOT NULL DEFAULT '',
  KEY controlling (username, alias)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS `virtual` (
  username         VARCHAR(128) NOT NULL,
  ext              VARCHAR(255) NOT NULL DEFAULT '',
  virtual_username VARCHAR(128) NOT NULL DEFAULT '',
  virtual_host     VARCHAR(255) NOT NULL,
  KEY address (virtual_host, virtual_username)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS rcpthosts (
  host VARCHAR(255) NOT NULL PRIMARY KEY
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Who may relay: vpopmail's table, with the user's name added. A row is an address with the time of its last
-- login, or a netblock (10.1.0.0/16, 10.1., 2001:db8:); a time of NULL or 0 never expires.
CREATE TABLE IF NOT EXISTS relay (
  ip_addr   VARCHAR(43) NOT NULL PRIMARY KEY,
  timestamp BIGINT NULL,
  user      VARCHAR(128) NOT NULL DEFAULT ''
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
