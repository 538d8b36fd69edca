"""`python -m config.embedded.steward SERVICE VAR LOCK`: the parent of one server; the package's docstring says why."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
import traceback
from pathlib import Path

from config.embedded import services
from config.embedded.leases import READY, open_lock
from config.embedded.places import ServiceError
from config.embedded.service import PATIENCE, Service


def main(name: str, var: Path, start: int) -> int:
    """Start the server, say so, and stay until nobody uses it or it ends by itself."""
    service = next(each for each in services(var) if each.name == name)
    os.chdir("/")  # keep no folder busy
    # Opened, and closed again, in this order: whoever then gets a lease finds the steward gone.
    steward = open_lock(service.place.control / "steward")
    fcntl.flock(steward, fcntl.LOCK_EX)
    lease = open_lock(service.place.control / "lease")
    server = _start(service)
    os.close(start)  # inherited from the launcher: others may come in now
    if server is None:
        return 1
    signal.signal(signal.SIGTERM, lambda *_: server.send_signal(service.stop_signal))
    threading.Thread(target=_stop_when_unused, args=(lease, server, service), daemon=True).start()
    status = server.wait()
    service.tidy()
    os.close(steward)
    os.close(lease)
    return status


def _start(service: Service) -> subprocess.Popen[bytes] | None:
    """Start the server and report to whoever started the steward, who may be gone already."""
    try:
        server = service.start()
        said = READY
    except ServiceError as error:
        server, said = None, str(error).encode()
    except Exception:
        server, said = None, traceback.format_exc().encode()
    try:
        os.write(1, said)
    except BrokenPipeError:
        pass
    log = os.open(service.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    return server


def _stop_when_unused(lease: int, server: subprocess.Popen[bytes], service: Service) -> None:
    fcntl.flock(lease, fcntl.LOCK_EX)  # granted when the last shared lock is gone
    server.send_signal(service.stop_signal)
    try:
        server.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        server.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
