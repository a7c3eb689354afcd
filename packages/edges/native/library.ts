import { Trouble } from "@qmail-mysql/trouble";
import { bun } from "./runtime.ts";

export type CType = "i32" | "ptr";
/** A view is passed as its address, null as NULL. */
export type Argument = number | ArrayBufferView | null;
export type Entry = (...args: Argument[]) => number;

interface Ffi {
  dlopen(
    library: string,
    symbols: Readonly<Record<string, { args: readonly CType[]; returns: CType }>>,
  ): { readonly symbols?: Readonly<Record<string, (...args: number[]) => number>> };
  ptr(view: ArrayBufferView): number;
  readonly read: {
    i32(pointer: number, offset: number): number;
    u8(pointer: number, offset: number): number;
  };
}

/** Functions of C libraries. */
export interface Libraries {
  /** Throws Trouble if the library has no such function, or the runtime no memory for the code that calls it. */
  open(library: string, name: string, args: readonly CType[], returns: CType): Entry;
  /** The address of the bytes of a view, valid while the view exists. */
  address(view: ArrayBufferView): number;
  readInt(pointer: number): number;
  /** The bytes up to a NUL, as a byte string. */
  readString(pointer: number): string;
}

/**
 * The runtime's interface to C below bun:ffi, which takes longer to load than the whole run of a short program, two
 * milliseconds (bench/PROFILE.md). The runtime compiles code for each function that is opened. Undefined under Node.
 */
export function libraries(): Libraries | undefined {
  const ffi = bun<{ readonly FFI?: Ffi }>()?.FFI;
  if (!ffi) return undefined;
  // A loop: map costs a short program more (bench/PROFILE.md). A new array, so that `values` keeps the views alive.
  const addresses = (values: readonly Argument[]): number[] => {
    const all: number[] = [];
    for (let i = 0; i < values.length; i++) {
      const value = values[i] ?? 0;
      all[i] = typeof value === "number" ? value : ffi.ptr(value);
    }
    return all;
  };
  return {
    open(library, name, args, returns) {
      const { symbols } = ffi.dlopen(library, { [name]: { args, returns } });
      const entry = symbols?.[name]; // on failure the runtime may return an Error
      if (entry) return (...values) => entry(...addresses(values));
      throw new Trouble("unable to call the C library: the limit on address space is too low");
    },
    address: (view) => ffi.ptr(view),
    readInt: (pointer) => ffi.read.i32(pointer, 0),
    readString(pointer) {
      let text = "";
      for (let at = 0; ; at++) {
        const byte = ffi.read.u8(pointer, at);
        if (byte === 0) return text;
        text += String.fromCharCode(byte);
      }
    },
  };
}
