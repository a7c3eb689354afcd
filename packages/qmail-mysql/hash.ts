import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import type { PasswordType } from "./mailbox-input.ts";

export function hashPassword(type: PasswordType, password: string): string {
  const bytes = Buffer.from(password, "latin1");
  if (type === "plain") return password;
  if (type === "mysql") {
    const once = createHash("sha1").update(bytes).digest();
    return `*${createHash("sha1").update(once).digest("hex").toUpperCase()}`;
  }
  return spawnSync("openssl", ["passwd", "-6", "-stdin"], { input: bytes }).stdout.toString().trim();
}
