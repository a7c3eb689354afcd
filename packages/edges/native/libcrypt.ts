import { libraries } from "./library.ts";
import { cString } from "./native.ts";

// Debian's name, and Fedora's, whose libxcrypt left the old interface behind.
const LIBRARIES = ["libcrypt.so.1", "libcrypt.so.2"];

type Crypt = (password: string, setting: string) => string;

let native: Crypt | undefined | "none";

/**
 * crypt(3) of the system's C library: the hash of `password` as `setting` says, byte strings. Undefined when
 * it fails, or cannot be called: under Node, or where the runtime may make no code.
 */
export function libcrypt(password: string, setting: string): string | undefined {
  native ??= load() ?? "none";
  if (native === "none" || `${password}${setting}`.includes("\0")) return undefined;
  const hashed = native(password, setting);
  // crypt(3): NULL, or a token that begins with "*" and is no hash.
  return hashed === "" || hashed.startsWith("*") ? undefined : hashed;
}

function load(): Crypt | undefined {
  const library = libraries();
  if (!library) return undefined;
  for (const name of LIBRARIES) {
    try {
      const crypt = library.open(name, "crypt", ["ptr", "ptr"], "ptr");
      return (password, setting) => {
        const result = crypt(cString(password), cString(setting));
        return result ? library.readString(result) : "";
      };
    } catch {
      // the next one, or none
    }
  }
  return undefined;
}
