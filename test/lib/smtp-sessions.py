"""smtp-sessions.py PROGRAM DIR [UID]: runs SMTP sessions with PROGRAM, one after the other.

With UID, one process of PROGRAM with that uid serves all of them, as a worker of tcpserver-sql: tcpserver-sql(8).

A line of standard input is a session in JSON: "env", the environment; "pieces", what the client sends, byte strings;
"pause", seconds after each piece ("pieces" come from a file without it, through a pipe with it); "queue", a qmail home
whose queue is looked at and emptied. A line of standard output is its result: "replies", "code", "queued". DIR is for
temporary files.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time

program, scratch = sys.argv[1:3]
worker_uid = int(sys.argv[3]) if len(sys.argv) > 3 else None
record = os.path.join(scratch, "record")
script = os.path.join(scratch, "input")


def feed(pipe, pieces, pause):
    try:
        for piece in pieces:
            pipe.write(piece.encode("latin1"))
            pipe.flush()
            time.sleep(pause)
        pipe.close()
    except OSError:
        pass


def recorded():
    """The records of record-queue.c."""
    if not os.path.exists(record):
        return []
    with open(record, "rb") as file:
        data = file.read()
    os.unlink(record)
    found = []
    while data:
        line, data = data.split(b"\n", 1)
        message, envelope, variables = map(int, line.split())
        entry = {"message": data[:message], "envelope": data[message : message + envelope]}
        parts = data[message + envelope :].split(b"\0", variables)
        entry["env"] = [part.decode("latin1") for part in parts[:variables] if not part.startswith(b"RECORD=")]
        data = parts[variables]
        found.append(entry)
    return found


def in_queue(home):
    """The messages of a real queue, in their order, and removes them."""
    found = []
    todo = os.path.join(home, "queue/todo")
    for name in sorted(os.listdir(todo), key=lambda each: os.stat(os.path.join(todo, each)).st_ctime_ns):
        with open(os.path.join(todo, name), "rb") as file:
            envelope = file.read()
        split = os.path.join(home, "queue/mess", str(int(name) % 23))
        path = os.path.join(split if os.path.isdir(split) else os.path.dirname(split), name)
        with open(path, "rb") as file:
            message = file.read()
        found.append({"message": message, "envelope": envelope, "env": []})
        for each in (path, os.path.join(todo, name), os.path.join(home, "queue/intd", name)):
            if os.path.exists(each):
                os.unlink(each)
    return found


def run(session):
    env = dict(session["env"], RECORD=record)
    pieces = session["pieces"]
    stdin = subprocess.PIPE
    if "pause" not in session:
        with open(script, "wb") as file:
            file.write("".join(pieces).encode("latin1"))
        stdin = open(script, "rb")
    raw = {name.encode("latin1"): value.encode("latin1") for name, value in env.items()}
    child = subprocess.Popen([program], stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=raw)
    if "pause" in session:
        threading.Thread(target=feed, args=(child.stdin, pieces, session["pause"]), daemon=True).start()
    else:
        stdin.close()
    replies = child.stdout.read()
    errors = child.stderr.read()
    code = child.wait(60)
    queued = recorded() + (in_queue(session["queue"]) if "queue" in session else [])
    for one in queued:
        one["message"] = one["message"].decode("latin1")
        one["envelope"] = one["envelope"].decode("latin1")
    return {"replies": replies.decode("latin1"), "errors": errors.decode("latin1"), "code": code, "queued": queued}


class Worker:
    """A process that serves connections that are handed to it."""

    def __init__(self):
        os.chmod(scratch, 0o777)
        self.orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        env = dict(os.environ, PROTO="HANDOVER")
        self.process = subprocess.Popen(
            [program], stdin=theirs, env=env, user=worker_uid, group=worker_uid, extra_groups=[]
        )
        theirs.close()
        self.orders.recv(65536)  # it is ready
        self.count = 0

    def run(self, session):
        ours, theirs = socket.socketpair()
        self.count += 1
        variables = [f"{name}={value}" for name, value in dict(session["env"], RECORD=record).items()]
        packet = "".join(f"{field}\0" for field in ["connection", str(self.count), *variables])
        ours.sendall("".join(session["pieces"]).encode("latin1"))
        ours.shutdown(socket.SHUT_WR)
        socket.send_fds(self.orders, [packet.encode("latin1")], [theirs.fileno()])
        theirs.close()
        replies = b""
        try:
            while piece := ours.recv(65536):
                replies += piece
        except ConnectionResetError:
            pass  # closed while there was more to read
        ours.close()
        _, code = self.orders.recv(65536).decode().split("\0")[:2]
        queued = recorded()
        for one in queued:
            one["message"] = one["message"].decode("latin1")
            one["envelope"] = one["envelope"].decode("latin1")
        return {"replies": replies.decode("latin1"), "errors": "", "code": int(code), "queued": queued}


serve = run if worker_uid is None else Worker().run
for line in sys.stdin:
    print(json.dumps(serve(json.loads(line))), flush=True)
shutil.rmtree(scratch, ignore_errors=True)
