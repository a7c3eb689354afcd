import { libc } from "@qmail-mysql/native";
import type { TcpSystem } from "./tcp-system.ts";

/**
 * Uses the C library if it can be called, else (under Node, or with an address space below 3 GB) the runtime, which
 * supports neither a backlog nor an environment that is not UTF-8.
 */
export async function tcpSystem(): Promise<TcpSystem> {
  try {
    libc();
  } catch {
    return (await import("./tcp-portable.ts")).portableTcp();
  }
  return (await import("./tcp-native.ts")).nativeTcp();
}
