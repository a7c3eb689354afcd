/* What the load programs share: something done again and again, many at a time, and how fast it went. */

enum { MOST_CLIENTS = 1024 };

/* Does it once for this client; `random` is another number each time. Not 0: it was done. */
typedef int once_fn(int client, unsigned random);

/* `clients` at a time for `seconds`, at most `count` (0: no limit). With a `rate`, that many a second are begun,
   and one's time counts from when it was due. Prints how many a second, the times' median, 99th percentile and
   greatest in milliseconds, and how many failed; answers whether none did. */
int load(int clients, double seconds, long count, double rate, once_fn *once);
