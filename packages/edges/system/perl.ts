/** The paths in Debian, where perl is essential, and in FreeBSD. */
export const PERLS = ["/usr/bin/perl", "/usr/local/bin/perl"];
