/* A queue program of the tests: what qmail-queue does with a message, in the queue below $SMALL_QUEUE (pid, mess/N, intd,
 * todo), in the same order: the message is linked, written and synced, then the envelope, which todo/ gets when it is
 * whole and synced. Exit codes are those of qmail-queue. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SPLIT 23

static char file[3][64];
static int made;

static int die(int code) {
  while (made > 0) unlink(file[--made]);
  _exit(code);
}

static int make(const char *name) {
  int fd = open(name, O_WRONLY | O_EXCL | O_CREAT, 0644);
  if (fd < 0) die(62 + made);
  made++;
  return fd;
}

static void put(int fd, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t n = write(fd, bytes, length);
    if (n < 0) die(53);
    bytes += n;
    length -= n;
  }
}

int main(void) {
  static char bytes[65536], todo[64];
  char own[64];
  struct stat status;
  ssize_t n;
  const char *queue = getenv("SMALL_QUEUE");
  umask(033);
  if (!queue || chdir(queue)) die(61);
  sprintf(file[0], "pid/%d", getpid());
  int message = make(file[0]);
  if (fstat(message, &status)) die(63);
  sprintf(file[1], "mess/%lu/%lu", (unsigned long)status.st_ino % SPLIT, (unsigned long)status.st_ino);
  sprintf(file[2], "intd/%lu", (unsigned long)status.st_ino);
  sprintf(todo, "todo/%lu", (unsigned long)status.st_ino);
  if (link(file[0], file[1])) die(64);
  unlink(file[0]);
  made = 2;
  while ((n = read(0, bytes, sizeof bytes)) > 0) put(message, bytes, n);
  if (n < 0) die(54);
  if (fsync(message)) die(53);
  int envelope = make(file[2]);
  put(envelope, own, sprintf(own, "u%d%cp%d%c", getuid(), 0, getpid(), 0));
  int isWhole = 0, wasNul = 0;
  while (!isWhole && (n = read(1, bytes, sizeof bytes)) > 0) {
    ssize_t at = 0;
    for (; at < n && !isWhole; at++) {
      isWhole = wasNul && !bytes[at];
      wasNul = !bytes[at];
    }
    put(envelope, bytes, isWhole ? at - 1 : at);
  }
  if (!isWhole) die(54);
  if (fsync(envelope)) die(53);
  if (link(file[2], todo)) die(66);
  return 0;
}
