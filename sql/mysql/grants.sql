-- Accounts that may do no more than they need. `qmail-mysql init --grants` puts a new password in the place of each
-- CHANGE-ME and says on descriptor 2 which control file takes it. Run qmail-mysql init first, then give this to the
-- server's root; an account that exists keeps its password:
--
--   qmail-mysql init --grants | mariadb
--
-- For a server on another machine write 'qmail'@'192.0.2.%' (the mail hosts' network) instead of localhost,
-- and add REQUIRE SSL to CREATE USER.

-- The mail programs: control/sqlserver. They only ask.
CREATE USER IF NOT EXISTS 'qmail'@'localhost' IDENTIFIED BY 'CHANGE-ME-1';
GRANT SELECT ON `qmail`.* TO 'qmail'@'localhost';

-- POP-before-SMTP through qmail-sqld, where control/sql names no database: the same account records who has
-- logged in. Take the dashes away:
-- GRANT INSERT, UPDATE ON `qmail`.relay TO 'qmail'@'localhost';

-- The administrator: control/sqlserver-admin, owned by root, mode 0600. CREATE and INDEX are for init.
CREATE USER IF NOT EXISTS 'qmailadmin'@'localhost' IDENTIFIED BY 'CHANGE-ME-2';
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, INDEX ON `qmail`.* TO 'qmailadmin'@'localhost';

-- POP-before-SMTP without qmail-sqld: control/sql. It records who has logged in, and forgets.
CREATE USER IF NOT EXISTS 'qmailrelay'@'localhost' IDENTIFIED BY 'CHANGE-ME-3';
GRANT SELECT, INSERT, UPDATE, DELETE ON `qmail`.relay TO 'qmailrelay'@'localhost';
