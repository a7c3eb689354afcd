/* sqld-client SOCKET QUESTION [FIELD...]: a complete client of qmail-sqld-protocol(7). Prints the fields of the
   response, one per line. Exit codes: 0 found, 1 none, 111 trouble. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { QUESTION = 16384, ANSWER = 1048576, SECONDS = 6 };

static void trouble(const char *why)
{
  fprintf(stderr, "sqld-client: fatal: %s\n", why);
  exit(111);
}

static void write_all(int fd, const char *s, size_t len)
{
  while (len > 0) {
    ssize_t n = write(fd, s, len);
    if (n <= 0) trouble("unable to write");
    s += n;
    len -= n;
  }
}

static void read_all(int fd, char *s, size_t len)
{
  while (len > 0) {
    ssize_t n = read(fd, s, len);
    if (n <= 0) trouble("unable to read");
    s += n;
    len -= n;
  }
}

int main(int argc, char **argv)
{
  static char question[QUESTION], answer[ANSWER + 1];
  struct sockaddr_un sa = {.sun_family = AF_UNIX};
  struct timeval limit = {SECONDS, 0};
  char head[16], c = 0;
  size_t len = 0, n = 0;
  int fd, i;

  if (argc < 3) trouble("usage: sqld-client socket question [field ...]");
  for (i = 2; i < argc; i++) {
    size_t l = strlen(argv[i]) + 1;
    if (len + l > sizeof question) trouble("question too long");
    memcpy(question + len, argv[i], l);
    len += l;
  }
  if (strlen(argv[1]) >= sizeof sa.sun_path) trouble("path too long");
  strcpy(sa.sun_path, argv[1]);
  fd = socket(AF_UNIX, SOCK_STREAM, 0);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  if (connect(fd, (struct sockaddr *)&sa, sizeof sa) == -1) trouble("unable to connect");

  snprintf(head, sizeof head, "%zu:", len);
  write_all(fd, head, strlen(head));
  write_all(fd, question, len);
  write_all(fd, ",", 1);

  for (;;) {
    read_all(fd, &c, 1);
    if (c == ':') break;
    if (c < '0' || c > '9' || (n = n * 10 + (c - '0')) > ANSWER) trouble("not an answer");
  }
  read_all(fd, answer, n + 1);
  if (n == 0 || answer[n] != ',') trouble("not an answer");
  answer[n] = 0;
  if (answer[0] == 'N') return 1;
  if (answer[0] != 'F') trouble(answer + 1);
  for (len = 1; len < n; len += strlen(answer + len) + 1) puts(answer + len);
  return 0;
}
