import { expect, test } from "vitest";
import { writePrivileges } from "./privileges.ts";

// SHOW GRANTS of MariaDB 10.11 and MySQL 8.0
test.each<[string, string[]]>([
  ["GRANT USAGE ON *.* TO `qmail`@`localhost` IDENTIFIED BY PASSWORD '*14E6'", []],
  ["GRANT SELECT ON `mail`.* TO `qmail`@`localhost`", []],
  ["GRANT SELECT (username, home) ON `mail`.`mailbox` TO `qmail`@`localhost`", []],
  ["GRANT ALL PRIVILEGES ON *.* TO `qmail`@`%`", ["ALL PRIVILEGES"]],
  ["GRANT SELECT, INSERT, UPDATE ON `mail`.* TO `qmail`@`%`", ["INSERT", "UPDATE"]],
  ["GRANT SELECT, UPDATE (`password`) ON `mail`.`mailbox` TO `qmail`@`%`", ["UPDATE"]],
  ["GRANT SELECT ON `mail`.* TO `qmail`@`%` WITH GRANT OPTION", ["GRANT OPTION"]],
  ["GRANT INSERT ON `my\\_mail`.* TO `qmail`@`%`", []],
  ["GRANT INSERT ON `other`.* TO `qmail`@`%`", []],
  ["GRANT INSERT, SELECT ON `mail`.`relay` TO `qmail`@`%`", []],
  ["GRANT `readers`@`%` TO `qmail`@`%`", []],
])("%s: %j", (grant, expected) => {
  expect(writePrivileges([grant], "mail")).toEqual(expected);
});

test("a database's name is quoted in a grant", () => {
  expect(writePrivileges(["GRANT INSERT ON `my\\_mail`.* TO `q`@`%`"], "my_mail")).toEqual(["INSERT"]);
});
