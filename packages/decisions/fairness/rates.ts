const MANY = 1000; // owners remembered before those with a full bucket are forgotten

/** May `owner` do it once more now? Up to `perSecond` times a second, and as many at once: a token bucket. */
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
