#!/usr/bin/env python3
"""measured.py COMMAND…: runs it and prints "SECONDS MAXIMUM-RSS-KIB BYTES-WRITTEN" on standard error's last line.

Bytes written are write_bytes of /proc/PID/io: what the process and the children that it waited for made dirty in files.
"""

import os
import sys
import time

begin = time.monotonic()
pid = os.fork()
if pid == 0:
    try:
        os.execvp(sys.argv[1], sys.argv[1:])
    except OSError as error:
        print(f"{sys.argv[1]}: {error.strerror}", file=sys.stderr)
        os._exit(127)
# It has ended, and is not gone before its counters are read.
os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
seconds = time.monotonic() - begin
with open(f"/proc/{pid}/io") as counters:
    written = dict(line.split(": ") for line in counters)["write_bytes"].strip()
_, status, usage = os.wait4(pid, 0)
print(f"{seconds:.3f} {usage.ru_maxrss} {written}", file=sys.stderr)
sys.exit(os.waitstatus_to_exitcode(status))
