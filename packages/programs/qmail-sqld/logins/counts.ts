import type { Figure } from "../figures/stats.ts";
import { type Attempt, SERVICES, serviceOf } from "./login-line.ts";

/** How many attempts to log in had which result, of each service. */
export interface LoginCounts {
  note(attempt: Pick<Attempt, "verdict" | "service" | "port">): void;
  figures(): Figure[];
}

const NAMES: ReadonlySet<string> = new Set(Object.values(SERVICES));
const VERDICTS = ["accepted", "refused", "delayed", "trouble"] as const;

export function openLoginCounts(): LoginCounts {
  const counts = new Map<string, Record<Attempt["verdict"], number>>();
  const of = (service: string) => {
    const found = counts.get(service) ?? { accepted: 0, refused: 0, delayed: 0, trouble: 0 };
    counts.set(service, found);
    return found;
  };
  return {
    note(attempt) {
      const service = serviceOf(attempt);
      of(NAMES.has(service) ? service : "other")[attempt.verdict]++;
    },
    figures() {
      const values = [...counts].flatMap(([service, count]) =>
        VERDICTS.map((verdict) => ({ labels: { service, verdict }, value: count[verdict] })),
      );
      return [{ name: "logins", help: "attempts to log in", kind: "counter", values }];
    },
  };
}
