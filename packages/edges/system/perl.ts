/** Debian's is in every system; FreeBSD's. */
export const PERLS = ["/usr/bin/perl", "/usr/local/bin/perl"];
