import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A certificate for a name and its key, in PEM. */
export function makeCertificate(name: string, days = 2): { readonly chain: string; readonly key: string } {
  const dir = mkdtempSync(join(tmpdir(), "certificate-"));
  const [chain, key] = [join(dir, "chain"), join(dir, "key")];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const files = ["-keyout", key, "-out", chain, "-days", `${days}`, "-subj", `/CN=${name}`];
  execFileSync("openssl", ["req", "-x509", ...curve, ...files], { stdio: "ignore" });
  const made = { chain: readFileSync(chain, "latin1"), key: readFileSync(key, "latin1") };
  rmSync(dir, { recursive: true });
  return made;
}
