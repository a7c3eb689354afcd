"""A greeting worker of tcpserver-sql -m that somebody controls: sends the monitor anything, and says what it got."""
import array, os, random, socket, sys

orders = socket.socket(fileno=0)
monitor = None
while monitor is None:
    data, fds, _, _ = socket.recv_fds(orders, 65536, 2)
    if data == b"monitor\0":
        monitor = socket.socket(fileno=fds[0])
monitor.settimeout(2)
ours, theirs = socket.socketpair()
fields = [b"1", b"iain", b"wrong", b"<1.2@x>", b"127.0.0.1", b"110", b""]
packets = []
for verdict in (b"accepted", b"taken"):
    packets.append([b"1", verdict, b"64800", b"64100", b"/"])
packets.append([b"1", b"iain", b"", b"", b"127.0.0.1", b"110", b""])
packets.append(fields)
got = b""
for packet in packets:
    try:
        socket.send_fds(monitor, [b"\0".join(packet) + b"\0"], [theirs.fileno()])
        got += monitor.recv(4096)
    except OSError:
        break
random.seed(1)
try:
    for _ in range(300):
        monitor.send(os.urandom(random.randrange(1, 3000)))
except OSError:
    pass
ours.setblocking(False)
try:
    mail = ours.recv(4096)
except BlockingIOError:
    mail = b""
ok = mail == b"" and b"taken" not in got
open(sys.argv[1] + ".new", "w").write("done: no mail\n" if ok else f"got {got} {mail}\n")
os.rename(sys.argv[1] + ".new", sys.argv[1])
