"""ucspi-tls.py CERTIFICATE KEY PROGRAM...: a TCP server on 127.0.0.1 that starts TLS when PROGRAM asks: ucspi-tls(2).

Prints the port, and serves until it is killed. Each connection has a process.
"""

import os
import select
import signal
import socket
import ssl
import sys

certificate, key, *program = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)


def pump(plain, read_end, write_end):
    """Copies between TLS and the two pipes, until one side has ended."""
    plain.setblocking(False)
    while True:
        if not plain.pending():
            ready, _, _ = select.select([plain, read_end], [], [])
        else:
            ready = [plain]
        if plain in ready:
            try:
                data = plain.recv(65536)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                data = None
            except OSError:
                return
            if data == b"":
                os.close(write_end)
                write_end = -1
                return drain(plain, read_end)
            if data:
                os.write(write_end, data)
        if read_end in ready:
            data = os.read(read_end, 65536)
            if not data:
                return
            plain.setblocking(True)
            plain.sendall(data)
            plain.setblocking(False)


def drain(plain, read_end):
    plain.setblocking(True)
    try:
        while data := os.read(read_end, 65536):
            plain.sendall(data)
    except OSError:
        pass


def serve(connection, address):
    control, theirs = socket.socketpair()
    from_program, to_server = os.pipe()
    from_server, to_program = os.pipe()
    if os.fork() == 0:
        os.dup2(connection.fileno(), 0)
        os.dup2(connection.fileno(), 1)
        env = dict(os.environ, SSLCTLFD=str(theirs.fileno()), SSLREADFD=str(from_server), SSLWRITEFD=str(to_server))
        env.update(TCPREMOTEIP=address[0], TCPLOCALPORT=str(connection.getsockname()[1]), PROTO="TCP")
        for fd in (theirs.fileno(), from_server, to_server):
            os.set_inheritable(fd, True)
        os.execve(program[0], program, env)
    theirs.close()
    os.close(from_server)
    os.close(to_server)
    if control.recv(1) != b"Y":
        os._exit(0)
    try:
        tls = context.wrap_socket(connection, server_side=True)
    except OSError:
        os._exit(1)
    control.sendall(f"SSL_PROTOCOL={tls.version()}\0SSL_CIPHER={tls.cipher()[0]}\0\0".encode())
    pump(tls, from_program, to_program)
    tls.settimeout(1)  # for a client that does not close TLS
    try:
        tls.unwrap()
    except OSError:
        pass
    os._exit(0)


signal.signal(signal.SIGCHLD, signal.SIG_IGN)
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
while True:
    accepted, address = server.accept()
    if os.fork() == 0:
        server.close()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        serve(accepted, address)
    accepted.close()
