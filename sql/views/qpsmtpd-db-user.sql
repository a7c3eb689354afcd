-- db/user of qpsmtpd: its tables as those of qmail-mysql, so that qmail-rcptcheck(8) gives its verdicts.
-- Here email_table is email(user, domain, enabled), and domain_table is domain(name). Put the names of db_user in place of
-- these. The tables mailbox and alias are made by `qmail-mysql init`; drop its empty tables virtual and rcpthosts first.

-- domain_table, domain_domain. rebuild-cdb makes control/morercpthosts.cdb of it.
CREATE VIEW rcpthosts AS
  SELECT name AS host FROM domain;

-- email_table, email_user, email_domain, email_enabled and email_enabled_value.
-- With email_address in place of both columns: SUBSTRING_INDEX(address, '@', 1) and SUBSTRING_INDEX(address, '@', -1).
-- username is the mailbox that gets the mail; ext stays blank.
CREATE VIEW `virtual` AS
  SELECT user AS username, '' AS ext, user AS virtual_username, domain AS virtual_host
    FROM email WHERE enabled = 'Y';
