"""hostile-clients.py KIND PORT [ARGUMENT ...]: clients of an SMTP server that cost it something. What became of them is
one line of JSON on descriptor 1.

slow SESSIONS SECONDS HOLD: connections that send a byte every SECONDS for HOLD seconds, then nothing
big | line | recipients: one after the other until descriptor 0 ends: a message of 100 MB, a line of 100 MB without an
end, 100,000 recipients
"""
import json
import select
import socket
import sys
import time

MEGABYTE = 1 << 20


def connect(port, source):
    s = socket.socket()
    s.bind((source, 0))
    s.connect(("127.0.0.1", port))
    return s


def slow(port, count, seconds, hold):
    poll = select.epoll()
    sessions = {}
    text = b"NOOP xxxxxxxx\r\n"
    began = time.monotonic()
    for i in range(count):
        s = connect(port, f"127.0.{1 + i // 250}.{1 + i % 250}")
        s.setblocking(False)
        # spread, as the clients of a real server are
        sessions[s.fileno()] = {"s": s, "n": 0, "due": time.monotonic() + seconds * i / count, "said": b""}
        poll.register(s, select.EPOLLIN)
    opened = time.monotonic()
    until = opened + hold
    ends, last, over = [], [], []
    while sessions:
        for fd, _ in poll.poll(0.05):
            each = sessions[fd]
            try:
                got = each["s"].recv(4096)
            except OSError:
                got = b""
            each["said"] = (each["said"] + got)[-200:]
            if got:
                continue
            poll.unregister(fd)
            each["s"].close()
            ends.append(time.monotonic() - each["sent"])
            over.append(time.monotonic() < until)
            last.append(each["said"].decode("latin1").split("\r\n")[-2:][0])
            del sessions[fd]
        now = time.monotonic()
        if now < until:
            for each in list(sessions.values()):
                if each["due"] <= now:
                    try:
                        each["s"].send(text[each["n"] % len(text):][:1])
                    except OSError:
                        pass
                    each["n"] += 1
                    each["due"] += seconds
                    each["sent"] = now
        elif now > until + 120:
            break
    return {
        "opened": opened - began,
        "left": len(sessions),
        "early": sum(over),
        "shortest": min(ends, default=0),
        "longest": max(ends, default=0),
        "last": sorted(set(last)),
    }


def reply(f):
    while True:
        line = f.readline()
        if line[3:4] != b"-":
            return line.decode("latin1").strip()


def one(kind, port):
    s = connect(port, "127.0.0.9")
    s.settimeout(60)
    f = s.makefile("rb")
    reply(f)
    s.sendall(b"MAIL FROM:<a@b>\r\n")
    reply(f)
    try:
        if kind == "line":
            for _ in range(100):
                s.sendall(b"x" * MEGABYTE)
            s.sendall(b"\r\n")
            return reply(f)
        if kind == "recipients":
            piece = b"".join(b"RCPT TO:<somebody.with.a.long.name.%d@ours.example>\r\n" % n for n in range(1000))
            for _ in range(100):
                s.sendall(piece)
                for _ in range(1000):
                    reply(f)
            s.sendall(b"DATA\r\n")
            reply(f)
            s.sendall(b"x\r\n.\r\n")
            return reply(f)
        s.sendall(b"RCPT TO:<c@ours.example>\r\nDATA\r\n")
        reply(f)
        reply(f)
        piece = (b"y" * 76 + b"\r\n") * (MEGABYTE // 78)
        for _ in range(100):
            s.sendall(piece)
        s.sendall(b".\r\n")
        return reply(f)
    finally:
        s.close()


def main():
    kind, port, *rest = sys.argv[1:]
    if kind == "slow":
        count, seconds, hold = int(rest[0]), float(rest[1]), float(rest[2])
        result = slow(int(port), count, seconds, hold)
    else:
        replies = []
        while not select.select([0], [], [], 0)[0]:
            replies.append(one(kind, int(port))[:40])
        result = {"times": len(replies), "replies": sorted({r[:3] for r in replies})}
    print(json.dumps(result))


main()
