"""Who uses a service: file locks that end with their process. The package's docstring tells the protocol."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.embedded.places import ServiceError
from config.embedded.service import Service

READY = b"ready\n"
CHECKOUT = Path(__file__).resolve().parent.parent.parent

_guard = threading.Lock()
_leases: dict[Path, int] = {}  # control folder → the descriptor whose shared lock is this process's lease


def hold(service: Service) -> None:
    """Have `service` running and leased to this process until it ends. Safe from any thread; cheap once held.

    Raises ServiceError with the server's own words when it does not start.
    """
    control = service.place.control
    if control in _leases and is_running(service):
        return
    with _guard:
        service.place.make_control()
        with locked(control / "start", fcntl.LOCK_EX) as start:
            _take_lease(control)
            if not is_running(service):
                _start_steward(service, start)


def is_running(service: Service) -> bool:
    """Whether a steward looks after `service` now."""
    try:
        descriptor = os.open(service.place.control / "steward", os.O_RDWR | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def release(service: Service, patience: float = 10.0) -> bool:
    """Give this process's lease up and wait for the server to stop; False when others still use it."""
    with _guard:
        descriptor = _leases.pop(service.place.control, None)
    if descriptor is not None:
        os.close(descriptor)
    deadline = time.monotonic() + patience
    while is_running(service):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@contextmanager
def locked(path: Path, mode: int) -> Iterator[int]:
    """Hold a lock on the file `path` (made if missing) while the block runs; yields its descriptor."""
    descriptor = open_lock(path)
    try:
        fcntl.flock(descriptor, mode)
        yield descriptor
    finally:
        os.close(descriptor)


def open_lock(path: Path) -> int:
    """Open the lock file `path`, making it if missing."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except PermissionError as error:
        raise ServiceError(f"{path} belongs to somebody else. Set JEONGSAN_VAR to a folder of yours.") from error


def _take_lease(control: Path) -> None:
    """Take a lease on the file that is there now: an older one may be on a file that somebody removed since."""
    descriptor = open_lock(control / "lease")
    fcntl.flock(descriptor, fcntl.LOCK_SH)  # waits while a steward is stopping the server
    before = _leases.get(control)
    _leases[control] = descriptor
    if before is not None:
        os.close(before)


def _start_steward(service: Service, start: int) -> None:
    """Start the steward and wait for its word: `ready`, or what went wrong.

    It inherits the lock `start` and keeps it until then: should this process be killed now, others still wait.
    """
    steward = subprocess.Popen(
        [sys.executable, "-m", "config.embedded.steward", service.name, str(service.var), str(start)],
        cwd=CHECKOUT,
        pass_fds=(start,),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    assert steward.stdout is not None
    with steward.stdout:
        said = ""
        for line in steward.stdout:
            if line == READY:
                # Nobody waits for the steward: it outlives this process when others hold leases.
                _forget(steward)
                return
            said += line.decode(errors="replace")
    steward.wait()
    raise ServiceError(f"The embedded {service.title} did not start.\n{said.strip()}")


def _forget(steward: subprocess.Popen[bytes]) -> None:
    """Collect the steward's exit status in the background, so that a long-lived process keeps no zombie."""
    threading.Thread(target=steward.wait, name="steward", daemon=True).start()


def _after_fork() -> None:
    """A child is no user until it connects; its copies of the leases would outlive the parent."""
    global _guard
    _guard = threading.Lock()
    for descriptor in _leases.values():
        os.close(descriptor)
    _leases.clear()


os.register_at_fork(after_in_child=_after_fork)
