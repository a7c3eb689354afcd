import { libraries } from "./library.ts";
import { cString } from "./native.ts";

// The names in Debian and in Fedora, whose libxcrypt is built without the old interface.
const LIBRARIES = ["libcrypt.so.1", "libcrypt.so.2"];

type Crypt = (password: string, setting: string) => string;

let native: Crypt | undefined | "none";

/**
 * crypt(3) of the system: the hash of `password` by `setting`, byte strings. Undefined if it fails or cannot be called:
 * under Node, or if the runtime has no memory for compiled code.
 */
export function libcrypt(password: string, setting: string): string | undefined {
  native ??= load() ?? "none";
  if (native === "none" || `${password}${setting}`.includes("\0")) return undefined;
  const hashed = native(password, setting);
  // crypt(3): on failure NULL or a string that begins with "*".
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
      // try the next
    }
  }
  return undefined;
}
