/* tcpload PORT CONCURRENCY SECONDS [COUNT]: connects to 127.0.0.1, reads to the end, again; prints connections
   per second, the answer times' median and 99th percentile and the greatest in milliseconds, and how many failed.
   A connection that brings no byte at all has failed. */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define MAX_SAMPLES 2000000
static struct sockaddr_in to;
static double until, *samples;
static long left, done, failed;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static int once(void) {
  char buf[4096];
  struct timeval limit = {30, 0};
  long total = 0;
  ssize_t r;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd == -1) return 0;
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  if (connect(fd, (struct sockaddr *)&to, sizeof to) == -1) return close(fd), 0;
  while ((r = read(fd, buf, sizeof buf)) > 0) total += r;
  close(fd);
  return r == 0 && total > 0;
}

static void *client(void *unused) {
  while (now() < until && __sync_sub_and_fetch(&left, 1) >= 0) {
    double start = now();
    if (!once()) __sync_add_and_fetch(&failed, 1);
    long n = __sync_fetch_and_add(&done, 1);
    if (n < MAX_SAMPLES) samples[n] = now() - start;
  }
  return unused;
}

static int order(const void *a, const void *b) {
  double d = *(const double *)a - *(const double *)b;
  return d < 0 ? -1 : d > 0;
}

int main(int argc, char **argv) {
  pthread_t threads[1024];
  if (argc < 4) return fprintf(stderr, "usage: tcpload port concurrency seconds [count]\n"), 100;
  int n = atoi(argv[2]);
  if (n < 1 || n > 1024) return 100;
  to.sin_family = AF_INET;
  to.sin_port = htons(atoi(argv[1]));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  left = argc > 4 ? atol(argv[4]) : MAX_SAMPLES;
  samples = calloc(MAX_SAMPLES, sizeof *samples);
  double start = now();
  until = start + atof(argv[3]);
  for (int i = 0; i < n; i++) pthread_create(&threads[i], 0, client, 0);
  for (int i = 0; i < n; i++) pthread_join(threads[i], 0);
  double took = now() - start;
  qsort(samples, done, sizeof *samples, order);
  printf("%.0f/s median %.2f ms p99 %.2f ms max %.2f ms failed %ld of %ld\n", done / took,
         done ? samples[done / 2] * 1e3 : 0, done ? samples[done * 99 / 100] * 1e3 : 0,
         done ? samples[done - 1] * 1e3 : 0, failed, done);
  return failed != 0;
}
