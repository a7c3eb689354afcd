/* fd3 FILE PROGRAM ...: runs it with FILE on descriptor 3, which no shell and no hyperfine can open afresh
   for each run. Without PROGRAM: does nothing, which is also what checkpassword is given to run. */
#include <fcntl.h>
#include <unistd.h>

int main(int argc, char **argv) {
	if (argc < 3) return 0;
	int fd = open(argv[1], O_RDONLY);
	if (fd < 0 || (fd != 3 && (dup2(fd, 3) != 3 || close(fd)))) return 111;
	execv(argv[2], argv + 2);
	return 111;
}
