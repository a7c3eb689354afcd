#!/usr/bin/python3
"""A credential validation module (http://untroubled.org/cvm/, version 2) that asks argv[1], a checkpassword."""
import subprocess
import sys

question = sys.stdin.buffer.read()
fields = {}
at = 2 + question[1]  # a version, and a context to be given back
while question[at]:
    length = question[at + 1]
    fields[question[at]] = question[at + 2 : at + 2 + length]
    at += 2 + length
login = fields[1] + (b"@" + fields[2] if fields.get(2) else b"")
ended = subprocess.run(
    ["/bin/sh", "-c", 'exec "$0" true 3<&0 0</dev/null', sys.argv[1]], input=login + b"\0" + fields[3] + b"\0"
)
code = {0: 0, 1: 100}.get(ended.returncode, 111)  # CVME_PERMFAIL and CVME_TEMPFAIL
answer = bytes([code]) + question[1 : 2 + question[1]]
if ended.returncode == 0:
    for kind, value in ((1, login), (2, b"1"), (3, b"1"), (5, b"/")):
        answer += bytes([kind, len(value)]) + value
sys.stdout.buffer.write(answer + b"\0")
sys.stdout.flush()
sys.exit(code)
