/* Takes the place of qmail-queue: adds the message, the envelope and the environment to the file $RECORD, and exits as
 * $QQ says: "exit N", "early N" (reads nothing), "text N TEXT" (TEXT on descriptor 6), "kill". Messages without a
 * complete envelope are not recorded, and exit 54, as qmail-queue does. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

static char *all(int fd, size_t *length) {
  size_t room = 65536;
  char *bytes = malloc(room);
  ssize_t n;
  for (*length = 0; (n = read(fd, bytes + *length, room - *length)) > 0;) {
    *length += n;
    if (*length == room) bytes = realloc(bytes, room *= 2);
  }
  return bytes;
}

static int compare(const void *a, const void *b) { return strcmp(*(char **)a, *(char **)b); }

int main(void) {
  const char *how = getenv("QQ");
  int code = 0, at = 0;
  if (!how) how = "exit 0";
  sscanf(how, "%*s %d %n", &code, &at);
  if (!strncmp(how, "early", 5)) _exit(code);
  size_t message_length, envelope_length, count = 0;
  char *message = all(0, &message_length), *envelope = all(1, &envelope_length);
  if (!strncmp(how, "kill", 4)) kill(getpid(), SIGKILL);
  if (!strncmp(how, "text", 4) && write(6, how + at, strlen(how + at)) < 0) _exit(53);
  if (code) _exit(code);
  if (envelope_length < 3 || envelope[envelope_length - 1] || envelope[envelope_length - 2]) _exit(54);
  int out = open(getenv("RECORD"), O_WRONLY | O_CREAT | O_APPEND, 0644);
  FILE *file = fdopen(out, "w");
  for (char **entry = environ; *entry; entry++) count++;
  qsort(environ, count, sizeof *environ, compare);
  fprintf(file, "%zu %zu %zu\n", message_length, envelope_length, count);
  fwrite(message, 1, message_length, file);
  fwrite(envelope, 1, envelope_length, file);
  for (char **entry = environ; *entry; entry++) fwrite(*entry, 1, strlen(*entry) + 1, file);
  return fclose(file) ? 53 : 0;
}
