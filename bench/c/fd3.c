/* fd3 FILE PROGRAM ...: runs PROGRAM with FILE opened as descriptor 3, since hyperfine cannot open it again
   for each run. Without PROGRAM it does nothing: checkpassword runs it that way. */
#include <fcntl.h>
#include <unistd.h>

int main(int argc, char **argv) {
	if (argc < 3) return 0;
	int fd = open(argv[1], O_RDONLY);
	if (fd < 0 || (fd != 3 && (dup2(fd, 3) != 3 || close(fd)))) return 111;
	execv(argv[2], argv + 2);
	return 111;
}
