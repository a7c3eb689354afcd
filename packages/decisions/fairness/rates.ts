const MANY = 1000; // owners; at this number those with a full bucket are dropped

/** Limits each owner to `perSecond` events a second, with bursts of as many (a token bucket). True if permitted. */
export function openRates(perSecond: number, now: () => number): (owner: number) => boolean {
  const buckets = new Map<number, { tokens: number; at: number }>();
  const refill = (bucket: { tokens: number; at: number }) => {
    const time = now();
    bucket.tokens = Math.min(perSecond, bucket.tokens + ((time - bucket.at) * perSecond) / 1000);
    bucket.at = time;
  };
  return (owner) => {
    let bucket = buckets.get(owner);
    if (!bucket) {
      if (buckets.size >= MANY) {
        for (const [other, one] of buckets) {
          refill(one);
          if (one.tokens === perSecond) buckets.delete(other);
        }
      }
      bucket = { tokens: perSecond, at: now() };
      buckets.set(owner, bucket);
    }
    refill(bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  };
}
