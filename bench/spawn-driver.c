/* spawn-driver [-r] FIRST N AT-A-TIME USERS PROGRAM [ARG...]: plays qmail-send to a qmail-lspawn.
   Asks for FIRST deliveries of message 0/1 and then for N, AT-A-TIME of them at once, to u0@h ... u(USERS-1)@h by
   turns, or with -r to random ones; prints how many per second the N were, and the FIRST, or the first report that
   is no success. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static void die(const char *why)
{
  fprintf(stderr, "spawn-driver: fatal: %s\n", why);
  exit(111);
}

static double now(void)
{
  struct timeval tv;
  gettimeofday(&tv, 0);
  return tv.tv_sec + tv.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
  int in[2], out[2], first, n, at, users, sent = 0, done = 0, i, state = 0, shuffle = 0;
  unsigned char limit, delnum = 0, buf[65536];
  static char text[4096];
  size_t len = 0;
  double start, warm;
  pid_t pid;

  if (argc > 1 && !strcmp(argv[1], "-r")) {
    shuffle = 1;
    srandom(getpid());
    argc--;
    argv++;
  }
  if (argc < 6) die("usage: spawn-driver [-r] first n at-a-time users program ...");
  first = atoi(argv[1]);
  n = first + atoi(argv[2]);
  at = atoi(argv[3]);
  users = atoi(argv[4]);
  if (pipe(in) || pipe(out)) die("pipe");
  if (!(pid = fork())) {
    dup2(in[0], 0);
    dup2(out[1], 1);
    close(in[0]); close(in[1]); close(out[0]); close(out[1]);
    execv(argv[5], argv + 5);
    _exit(127);
  }
  close(in[0]);
  close(out[1]);
  if (read(out[0], &limit, 1) != 1) die("no limit");
  if (at > limit) at = limit;
  start = warm = now();
#define ASK(slot) do { \
    char cmd[256]; \
    int l = snprintf(cmd + 1, 255, "0/1%cs@example.org%cu%ld@h%c", 0, 0, (shuffle ? random() : sent) % users, 0); \
    sent++; \
    cmd[0] = (slot); \
    if (write(in[1], cmd, l + 1) != l + 1) die("write"); \
  } while (0)
  for (i = 0; i < at && sent < n; i++) ASK(i);
  while (done < n) {
    ssize_t r = read(out[0], buf, sizeof buf);
    if (r <= 0) die("it is gone");
    for (i = 0; i < r; i++) {
      if (state == 0) { delnum = buf[i]; state = 1; len = 0; continue; }
      if (buf[i]) { if (len < sizeof text - 1) text[len++] = buf[i]; continue; }
      text[len] = 0;
      state = 0;
      if (++done == first) warm = now();
      if (text[0] != 'K') { fprintf(stderr, "%d: %s\n", done, text); exit(1); }
      if (sent < n) ASK(delnum);
    }
  }
  printf("%.1f %.1f\n", (n - first) / (now() - warm), first ? first / (warm - start) : 0);
  close(in[1]);
  waitpid(pid, &i, 0);
  return WIFEXITED(i) ? WEXITSTATUS(i) : 111;
}
