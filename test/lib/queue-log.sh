#!/bin/sh
# queue-log.sh: stands for qmail-queue ($QMAILQUEUE): takes a message and its envelope, and appends the envelope's
# recipients to $QUEUE_LOG, a line each.
exec 3<&1
cat >>/dev/null
tr '\0' '\n' <&3 | sed -n 's/^T//p' >>"$QUEUE_LOG"
