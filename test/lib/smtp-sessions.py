"""smtp-sessions.py PROGRAM DIR [UID]: runs SMTP sessions with PROGRAM, one after the other.

With UID, one process of PROGRAM with that uid serves all of them, as a worker of tcpserver-sql: tcpserver-sql(8).

A line of standard input is a session in JSON: "env", the environment; "pieces", what the client sends, byte strings;
"client", how; "mounts", directories that are in the places of others; "queue", a qmail home whose queue is looked at and
emptied. A line of standard output is its result: "replies", "errors", "code", "queued". DIR is for temporary files.

Clients:
  "at once"   everything is there from the beginning, from a file (a worker: from a socket whose end is closed)
  "segments"  each piece when the one before was read
  "lockstep"  each piece when the reply to the one before has come; a message only after a 354
  "vanishes"  as lockstep, and closes the connection after the last piece without reading
  number      a pause of so many seconds after each piece, through a pipe
"""

import array
import ctypes
import fcntl
import json
import os
import re
import select
import shutil
import socket
import subprocess
import sys
import termios
import threading
import time

program, scratch = sys.argv[1:3]
worker_uid = int(sys.argv[3]) if len(sys.argv) > 3 else None
record = os.path.join(scratch, "record")
script = os.path.join(scratch, "input")

LIMIT = 15  # seconds without progress
MS_BIND = 4096  # sys/mount.h
libc = ctypes.CDLL(None, use_errno=True)
mounted = {}


def mount(mounts):
    """Puts directories in the places of others, of this process and its children alone."""
    for place, directory in mounts.items():
        if mounted.get(place) == directory:
            continue
        if place in mounted:
            libc.umount2(place.encode(), 2)
        if libc.mount(directory.encode(), place.encode(), None, MS_BIND, None) != 0:
            raise OSError(ctypes.get_errno(), place)
        mounted[place] = directory


def feed(pipe, pieces, pause):
    try:
        for piece in pieces:
            pipe.write(piece.encode("latin1"))
            pipe.flush()
            time.sleep(pause)
        pipe.close()
    except OSError:
        pass


class Client:
    """The client's end of a connection."""

    def __init__(self, connection):
        self.connection = connection
        self.replies = b""
        self.ended = False

    def receive(self, limit=LIMIT):
        """Adds what has come within some seconds to the replies. False if nothing has."""
        if self.ended or not select.select([self.connection], [], [], limit)[0]:
            return False
        try:
            data = self.connection.recv(65536)
        except ConnectionResetError:
            data = b""  # closed while there was more to read
        self.replies += data
        self.ended = data == b""
        return True

    def send(self, text):
        try:
            self.connection.sendall(text.encode("latin1"))
        except OSError:
            pass  # the replies say why

    def until_read(self):
        """Waits until the server has read what was sent."""
        left = array.array("i", [1])
        started = time.monotonic()
        while not self.ended:
            fcntl.ioctl(self.connection, termios.TIOCOUTQ, left)
            if left[0] == 0:
                return
            self.receive(0)
            os.sched_yield()
            if time.monotonic() - started > LIMIT:
                raise TimeoutError

    def next_reply(self, start):
        """Waits for a reply after so many bytes of replies; returns it."""
        while not (found := re.match(rb"(?:\d{3}-.*\n)*\d{3} .*\n", self.replies[start:])):
            if not self.receive():
                if self.ended:
                    return b""
                raise TimeoutError(self.replies)
        return found[0]

    def lockstep(self, pieces):
        """The last piece is sent without waiting for its reply."""
        self.next_reply(0)
        message = None  # that is being sent
        for nth, piece in enumerate(pieces):
            if message is None and is_message(piece):
                continue  # DATA was refused
            start = len(self.replies)
            self.send(piece)
            if message is not None:
                message += piece
                if not is_over(message):
                    continue
            if nth < len(pieces) - 1:
                message = "\r\n" if self.next_reply(start).startswith(b"354") else None

    def talk(self, pieces, how):
        """Sends the pieces, and receives up to the end."""
        if how == "at once":
            self.send("".join(pieces))
        elif how == "segments":
            for piece in pieces:
                self.send(piece)
                self.until_read()
        else:
            self.lockstep(pieces)
        if how != "vanishes":
            self.connection.shutdown(socket.SHUT_WR)
            while self.receive():
                pass
            if not self.ended:
                raise TimeoutError(self.replies)
        self.connection.close()


def is_message(piece):
    return piece.count("\n") > 1 or piece == ".\r\n"


def is_over(message):
    """Does the server reply: at the end of the message, and at an LF without CR, by closing the connection?"""
    return "\r\n.\r\n" in message or re.search(r"(?<!\r)\n", message) is not None


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


def result(session, replies, errors, code):
    queued = recorded() + (in_queue(session["queue"]) if "queue" in session else [])
    for one in queued:
        one["message"] = one["message"].decode("latin1")
        one["envelope"] = one["envelope"].decode("latin1")
    return {"replies": replies.decode("latin1"), "errors": errors.decode("latin1"), "code": code, "queued": queued}


def run(session):
    """A process for the session."""
    env = dict(session["env"], RECORD=record)
    pieces, how = session["pieces"], session.get("client", "at once")
    raw = {name.encode("latin1"): value.encode("latin1") for name, value in env.items()}

    def start(stdin, stdout):
        return subprocess.Popen([program], stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, env=raw)

    if how == "at once":
        with open(script, "wb") as file:
            file.write("".join(pieces).encode("latin1"))
        with open(script, "rb") as file:
            child = start(file, subprocess.PIPE)
        replies = child.stdout.read()
    elif isinstance(how, str):
        ours, theirs = socket.socketpair()
        child = start(theirs, theirs)
        theirs.close()
        client = Client(ours)
        client.talk(pieces, how)
        replies = client.replies
    else:
        child = start(subprocess.PIPE, subprocess.PIPE)
        threading.Thread(target=feed, args=(child.stdin, pieces, how), daemon=True).start()
        replies = child.stdout.read()
    errors = child.stderr.read()
    return result(session, replies, errors, child.wait(60))


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
        self.orders.settimeout(LIMIT)
        self.orders.recv(65536)  # it is ready
        self.count = 0

    def run(self, session):
        ours, theirs = socket.socketpair()
        self.count += 1
        variables = [f"{name}={value}" for name, value in dict(session["env"], RECORD=record).items()]
        packet = "".join(f"{field}\0" for field in ["connection", str(self.count), *variables])
        client = Client(ours)
        socket.send_fds(self.orders, [packet.encode("latin1")], [theirs.fileno()])
        theirs.close()
        client.talk(session["pieces"], session.get("client", "at once"))
        report = "ready"
        while report.startswith("ready"):  # now and then it only says that it runs
            report = self.orders.recv(65536).decode()
        _, code = report.split("\0")[:2]
        return result(session, client.replies, b"", int(code))


serve = None
for line in sys.stdin:
    order = json.loads(line)
    mount(order.get("mounts", {}))
    serve = serve or (run if worker_uid is None else Worker().run)
    print(json.dumps(serve(order)), flush=True)
shutil.rmtree(scratch, ignore_errors=True)
