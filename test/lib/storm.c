/* storm SOCKET HOLD SECONDS: connects as fast as it can and keeps its last HOLD connections. Prints how many. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv) {
	if (argc != 4) return 100;
	int hold = atoi(argv[2]);
	time_t until = time(0) + atoi(argv[3]);
	int *held = calloc((size_t)hold, sizeof *held);
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	strncpy(to.sun_path, argv[1], sizeof to.sun_path - 1);
	long made = 0, tries = 0;
	while (tries++ % 64 || time(0) < until) {
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);
		if (fd < 0) return 111;
		if (connect(fd, (void *)&to, sizeof to) < 0) {
			close(fd);
			continue;
		}
		int *slot = &held[made++ % hold];
		if (*slot) close(*slot);
		*slot = fd;
	}
	printf("%ld\n", made);
	return 0;
}
