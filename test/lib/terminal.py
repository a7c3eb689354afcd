"""terminal.py STEPS PROGRAM...: runs a program on a terminal of its own. STEPS is JSON, a list of [text to wait for,
what to do then]: {"type": text} or {"signal": number}. Prints JSON: code, signal, screen (latin1), the terminal's
echo while each text was awaited, and its echo in the end."""
import json, os, pty, select, signal, sys, termios, time

steps, argv = json.loads(sys.argv[1]), sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(argv[0], argv)


def echo():
    return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)


def read(seconds):
    if not select.select([terminal], [], [], seconds)[0]:
        return b""
    try:
        return os.read(terminal, 4096)
    except OSError:  # Linux's way of saying that the program has closed it
        time.sleep(0.05)
        return b""


screen, echoes, at, end = b"", [], 0, time.time() + 15
for text, action in steps:
    wanted = text.encode("latin1")
    while wanted not in screen[at:] and time.time() < end:
        screen += read(0.05)
    at = screen.find(wanted, at) + len(wanted)
    echoes.append(echo())
    if "signal" in action:
        os.kill(pid, action["signal"])
    else:
        os.write(terminal, action["type"].encode("latin1"))
status = None
while status is None and time.time() < end:
    screen += read(0.05)
    done, code = os.waitpid(pid, os.WNOHANG)
    if done:
        status = code
if status is None:
    os.kill(pid, signal.SIGKILL)
    status = os.waitpid(pid, 0)[1]
while chunk := read(0.05):
    screen += chunk
print(json.dumps({
    "code": os.waitstatus_to_exitcode(status),
    "screen": screen.decode("latin1"),
    "echoes": echoes,
    "echo": echo(),
}))
