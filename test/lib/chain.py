"""chain.py BIN DEFAULT: delivers as a stock qmail-lspawn does: qmail-getpw as qmailp, then qmail-local as whom it names,
each with nothing but its own gid for groups. Descriptor 0 has a JSON object: "to" (pairs of local part and host), "homes"
(a directory), "message" (a file) and "log" (of queue-log.sh). Descriptor 1 gets an array: getpw's fields, the exit code
of the whole, what of homes a delivery changed and whereto it forwarded. What was delivered is removed again."""

import grp
import json
import os
import pwd
import signal
import sys

bin_dir, default = sys.argv[1], sys.argv[2]
task = json.load(sys.stdin)
QMAILP = pwd.getpwnam("qmailp").pw_uid
NOFILES = grp.getgrnam("nofiles").gr_gid


def run(uid, gid, args):
    """Exit code and output of one of our programs."""
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(os.open(task["message"], os.O_RDONLY), 0)
        os.dup2(into, 1)
        os.dup2(into if args[0] == "qmail-local" else os.open(task["message"], os.O_RDONLY), 2)
        os.closerange(3, 64)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        os.umask(0o077)
        os.setgroups([gid])
        os.setgid(gid)
        os.setuid(uid)
        os.execv(os.path.join(bin_dir, args[0]), [os.fsencode(arg) for arg in args])
    os.close(into)
    said = b""
    while chunk := os.read(out, 65536):
        said += chunk
    os.close(out)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said


def landed():
    """Where new mail is: Maildirs, mboxes. It is removed."""
    found = set()
    for top, dirs, files in os.walk(task["homes"]):
        for name in files:
            path = os.path.join(top, name)
            if name.startswith(".qmail"):
                continue
            os.unlink(path)
            found.add(os.path.dirname(top) if os.path.basename(top) == "new" else path)
    return sorted(found)


def forwarded():
    """The recipients of forwards. They are removed."""
    with open(task["log"], "r+") as log:
        lines = sorted(log.read().split("\n")[:-1])
        log.truncate(0)
    return lines


results = []
for local, host in task["to"]:
    code, said = run(QMAILP, NOFILES, ["qmail-getpw", local])
    if code != 0:
        results.append({"owner": None, "code": code, "said": "", "landed": [], "forwards": []})
        continue
    user, uid, gid, home, dash, ext = [os.fsdecode(field) for field in said.split(b"\0")[:6]]
    code, said = run(int(uid), int(gid), ["qmail-local", "--", user, home, local, dash, ext, host, "s@x.org", default])
    owner = {"user": user, "uid": int(uid), "gid": int(gid), "home": home, "dash": dash, "ext": ext}
    results.append({"owner": owner, "code": code, "said": said.decode("latin1"), "landed": landed(), "forwards": forwarded()})
json.dump(results, sys.stdout)
