import { expect, test } from "vitest";
import { columnFix } from "./column-fix.ts";

// The words of MariaDB 10.11 and MySQL 8.0 and of SQLite 3.
test.each([
  [
    "Data too long for column 'password' at row 1",
    "password",
    "ALTER TABLE `mailbox` MODIFY password varchar(255) NOT NULL DEFAULT ''",
  ],
  [
    "Data truncated for column 'password_type' at row 1",
    "password_type",
    "ALTER TABLE `mailbox` MODIFY password_type enum('Password','Crypt-Password','MySQL-Password') NOT NULL DEFAULT 'Password'",
  ],
  [
    "Out of range value for column 'uid' at row 1",
    "uid",
    "ALTER TABLE `mailbox` MODIFY uid int unsigned NOT NULL",
  ],
  [
    "Incorrect string value: '\\xE2\\x82\\xAC' for column `mail`.`mailbox`.`username` at row 1",
    "username",
    "ALTER TABLE `mailbox` MODIFY username varchar(128) CHARACTER SET utf8mb4 NOT NULL",
  ],
  [
    "Unknown column 'suspended' in 'field list'",
    "suspended",
    "ALTER TABLE `mailbox` ADD suspended enum('N','Y') NOT NULL DEFAULT 'N'",
  ],
  [
    "table mailbox has no column named suspended",
    "suspended",
    "ALTER TABLE `mailbox` ADD suspended enum('N','Y') NOT NULL DEFAULT 'N'",
  ],
])("%s", (message, column, fix) => {
  expect(columnFix("mailbox", `unable to change the database at /s: ${message}`)).toMatchObject({
    column,
    fix,
  });
});

test.each(["Table 'mail.mailbox' doesn't exist", "connection refused", ""])(
  "%j is about no column",
  (message) => {
    expect(columnFix("mailbox", message)).toBeUndefined();
  },
);
