import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

/** A Debian package that is unpacked, and not installed; undefined if it cannot be fetched. */
export function unpacked(name: string): string | undefined {
  const kept = join(import.meta.dirname, "../../build/debian");
  const dir = join(kept, name);
  if (existsSync(dir)) return dir;
  const fresh = join(kept, `${name}.${process.pid}`);
  mkdirSync(fresh, { recursive: true });
  try {
    execFileSync("apt-get", ["-qq", "download", name], { cwd: fresh, stdio: "ignore" });
    const [file = ""] = readdirSync(fresh);
    execFileSync("dpkg", ["-x", join(fresh, file), join(fresh, "root")]);
    renameSync(join(fresh, "root"), dir);
    return dir;
  } catch {
    return existsSync(dir) ? dir : undefined;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}
