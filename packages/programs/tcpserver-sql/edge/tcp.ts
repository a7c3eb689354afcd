import { libc } from "@qmail-mysql/native";
import type { TcpSystem } from "./tcp-system.ts";

/**
 * The C library's calls where they can be had; where the runtime may make no code (Node; an address space
 * below 3 GB) its own, which know no backlog and no environment that is not UTF-8.
 */
export async function tcpSystem(): Promise<TcpSystem> {
  try {
    libc();
  } catch {
    return (await import("./tcp-portable.ts")).portableTcp();
  }
  return (await import("./tcp-native.ts")).nativeTcp();
}
