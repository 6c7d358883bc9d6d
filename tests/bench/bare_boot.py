"""Runs a VMM and prints the seconds until the SSH server in its guest has sent its banner, and until an `ssh … true` that
began right then has ended; then the VMM is killed.

usage: bare_boot.py ADDRESS NAME VMM ARGUMENT…, in the folder that the arguments' files are relative to.

The address is asked anew every 50 ms, so that what is measured is the guest and not TCP's repetition of a SYN.
"""

import os
import socket
import subprocess
import sys
import time

LIMIT = 300
ASK_EVERY = 0.05


def banner(address):
    """What port 22 says at first, or nothing."""
    try:
        with socket.create_connection((address, 22), timeout=ASK_EVERY) as connection:
            # The server has the connection: now it may take its time to start a process for it.
            connection.settimeout(30)
            return connection.recv(4)
    except OSError:
        return b""


def main():
    address, name, *command = sys.argv[1:]
    ssh = ["ssh", "-F", os.path.expanduser("~/.config/banger/ssh_config"), "-o", f"HostName={address}",
           "-o", f"HostKeyAlias={name}.vm", f"{name}.vm", "true"]
    begin = time.monotonic()
    with open("console", "wb") as console:
        vmm = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=console, stderr=console)
    try:
        while banner(address) != b"SSH-":
            if vmm.poll() is not None or time.monotonic() > begin + LIMIT:
                with open("console", "rb") as console:
                    sys.stderr.write(console.read()[-2000:].decode(errors="replace"))
                return 1
            time.sleep(0.005)
        to_banner = time.monotonic() - begin
        subprocess.run(ssh, stdin=subprocess.DEVNULL, check=True)
        print(f"{to_banner:.2f} {time.monotonic() - begin:.2f}")
        return 0
    finally:
        vmm.kill()
        vmm.wait()


if __name__ == "__main__":
    sys.exit(main())
