"""deliver.py: runs qmail-local for many cases, each in a home of its own, with exact bytes and descriptors as
qmail-lspawn gives them. JSON on descriptor 0: program, uid, env, cases; on 1: what each did. Strings are byte
strings (latin1)."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

QUEUE = b"""#!/bin/sh
cat >"$CAPTURE/message"; cat <&1 >"$CAPTURE/envelope"
[ -z "$QUEUE_SAYS" ] || printf %s "$QUEUE_SAYS" >&6
[ "$QUEUE_EXIT" != kill ] || kill -9 $$
exit ${QUEUE_EXIT:-0}
"""

job = json.load(sys.stdin)
uid = job["uid"]
top = tempfile.mkdtemp(prefix="deliver-")
os.chmod(top, 0o755)
os.umask(0o077)


def raw(text):
    return text.encode("latin1")


def own(path):
    if uid:
        os.lchown(path, uid, uid)


def write(path, data, mode):
    with open(path, "wb") as file:
        file.write(data)
    own(path)
    os.chmod(path, mode)


def make(home, files):
    for name, what in files.items():
        path = os.path.join(home, raw(name))
        parent = os.path.dirname(path)
        if not os.path.isdir(parent):
            os.makedirs(parent, 0o700)
            own(parent)
        if "link" in what:
            os.symlink(raw(what["link"]), path)
        elif "dir" in what:
            os.path.isdir(path) or os.mkdir(path)
            own(path)
            os.chmod(path, what["dir"])
        elif "fifo" in what:
            os.mkfifo(path)
            own(path)
        else:
            write(path, raw(what.get("text", "")), what.get("mode", 0o600))


def listing(home, given):
    found = {}
    for dir, dirs, names in os.walk(home):
        for name in names:
            path = os.path.join(dir, name)
            relative = os.path.relpath(path, home).decode("latin1")
            info = os.lstat(path)
            if not stat.S_ISREG(info.st_mode):
                continue
            with open(path, "rb") as file:
                text = file.read().decode("latin1")
            if relative in given and given[relative].get("text", "") == text:
                continue
            for part in ("/new/", "/tmp/"):
                if part in relative:
                    relative = relative[: relative.index(part) + 5] + "*"
            while relative in found:
                relative += "+"
            found[relative] = f"{stat.S_IMODE(info.st_mode):o} {text}"
    return dict(sorted(found.items()))


# Created before the first fork: a file that a child still has open for writing cannot be executed.
QUEUE_FILE = raw(f"{top}/queue")
write(QUEUE_FILE, QUEUE, 0o755)


def run(number, case):
    place = raw(f"{top}/{number}")
    home = place + b"/home"
    os.mkdir(place)
    os.chmod(place, 0o755)
    capture = place + b"/capture"
    for dir in (home, capture):
        os.mkdir(dir)
        if dir == home and "disk" in case:
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=" + case["disk"], "none", home], check=True)
        own(dir)
    files = case.get("files", {})
    make(home, files)
    os.chmod(home, case.get("homeMode", 0o700))
    write(place + b"/message", raw(case.get("message", "Subject: x\n\nbody\n")), 0o644)
    write(place + b"/out", b"", 0o600)
    write(place + b"/err", b"", 0o600)
    argv = [raw(arg).replace(b"@HOME@", home) for arg in case["args"]]
    env = {
        b"PATH": b"/usr/bin:/bin",
        b"CAPTURE": capture,
        b"QMAILQUEUE": QUEUE_FILE,
        **{raw(k): raw(v).replace(b"@HOME@", home) for k, v in {**job["env"], **case.get("env", {})}.items()},
    }
    pid = os.fork()
    if pid == 0:
        try:
            how = case.get("descriptor0")
            if how == "closed":
                os.close(0)
            elif how == "directory":
                os.dup2(os.open(place, os.O_RDONLY), 0)
            elif how == "write-only":
                os.dup2(os.open(place + b"/message", os.O_WRONLY), 0)
            else:
                os.dup2(os.open(place + b"/message", os.O_RDONLY | os.O_NONBLOCK), 0)
            os.dup2(os.open(place + b"/out", os.O_WRONLY | os.O_APPEND), 1)
            os.dup2(os.open(place + b"/err", os.O_WRONLY | os.O_APPEND), 2)
            os.closerange(3, 64)
            signal.signal(signal.SIGPIPE, signal.SIG_IGN)
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # Python ignores it
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
            os.chdir("/tmp")
            if uid:
                os.setgroups([uid])
                os.setgid(uid)
                os.setuid(uid)
            os.execve(raw(job["program"]), [b"bin/qmail-local", *argv], env)
        finally:
            os._exit(126)
    _, status = os.waitpid(pid, 0)

    def text(path):
        try:
            with open(path, "rb") as file:
                return file.read().replace(home, b"@HOME@").replace(place, b"@PLACE@").decode("latin1")
        except FileNotFoundError:
            return None

    result = {
        "code": os.waitstatus_to_exitcode(status),
        "out": text(place + b"/out"),
        "err": text(place + b"/err"),
        "files": listing(home, files),
        "message": text(capture + b"/message"),
        "envelope": text(capture + b"/envelope"),
    }
    if "disk" in case:
        subprocess.run(["umount", home], check=True)
    shutil.rmtree(place)
    return {key: value for key, value in result.items() if value not in ("", None, {})}


with ThreadPoolExecutor(2) as pool:
    results = list(pool.map(run, range(len(job["cases"])), job["cases"]))
shutil.rmtree(top)
json.dump(results, sys.stdout)
