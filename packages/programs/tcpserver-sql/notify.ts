const HOUR = 3600; // seconds

/** Passes on at most one warning an hour. `now` is in seconds. */
export function hourly(send: (line: string) => void, now: () => number): (line: string) => void {
  let sentAt = -Infinity;
  return (line) => {
    if (now() - sentAt < HOUR) return;
    sentAt = now();
    send(line);
  };
}
