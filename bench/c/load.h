/* Used by the load programs: repeats an operation with several clients at a time, and measures it. */

enum { MOST_CLIENTS = 1024 };

/* One operation of a client; `random` differs for each call. Returns nonzero on success. */
typedef int once_fn(int client, unsigned random);

/* Runs `clients` at a time for `seconds`, at most `count` operations (0: no limit). With a `rate`, that many operations
   per second are begun, and the time of each is measured from when it was due. Prints the operations per second, the
   median, 99th percentile and maximum of their times in milliseconds, and the number of failures. Returns whether there
   were none. */
int load(int clients, double seconds, long count, double rate, once_fn *once);
