"""as-lspawn.py PROGRAM LOCAL: runs it as stock qmail-lspawn runs qmail-getpw: uid qmailp, gid nofiles, no other
groups; descriptor 0 the command pipe with commands waiting in it, 2 the message opened read-only, one more
descriptor inherited; SIGPIPE ignored, SIGCHLD blocked. LOCAL may be raw:HEX. Fails when the pipe was touched."""

import os
import pwd
import signal
import sys
import tempfile

program, local = sys.argv[1].encode(), os.fsencode(sys.argv[2])
if local.startswith(b"raw:"):
    local = bytes.fromhex(local[4:].decode())
commands = b"\0" + b"20/2179201\0sender@example.com\0joe@example.com\0"
read_end, write_end = os.pipe()
os.write(write_end, commands)
message = tempfile.NamedTemporaryFile()
report_read, report_write = os.pipe()

child = os.fork()
if child == 0:
    os.dup2(read_end, 0)
    os.dup2(os.open(message.name, os.O_RDONLY), 2)
    os.dup2(report_write, 4)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
    os.umask(0o077)
    qmailp = pwd.getpwnam("qmailp")
    os.setgroups([qmailp.pw_gid])
    os.setgid(qmailp.pw_gid)
    os.setuid(qmailp.pw_uid)
    os.execv(program, [program, local])
_, status = os.waitpid(child, 0)
os.set_blocking(read_end, False)
if os.read(read_end, 4096) != commands:
    sys.exit("the command pipe was read")
os.close(report_write)
if os.read(report_read, 4096):
    sys.exit("the report pipe was written to")
sys.exit(os.waitstatus_to_exitcode(status))
