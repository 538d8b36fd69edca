"""Several programs under one roof: they start together, and when one ends, or the roof does, all end."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from types import FrameType

GRACE = 30.0  # seconds that a program may take to end in order
PR_SET_PDEATHSIG = 1


class Supervisor:
    """Runs named programs until one of them ends or a signal comes; then stops them all, the last started first."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.tell = tell
        self.programs: dict[str, subprocess.Popen[bytes]] = {}
        self.asked_by: signal.Signals | None = None

    def start(self, name: str, command: Sequence[str], env: Mapping[str, str]) -> None:
        """Start a program in a session of its own, so that Ctrl-C reaches it through here, in order."""
        self.programs[name] = subprocess.Popen(
            command,
            env={**os.environ, **env},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_end_with_parent,
        )

    def watch(self, each: Callable[[], None] = lambda: None) -> int:
        """Stay until the end; calls `each` a few times a second. Returns the exit status: 0 when asked to stop."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask)
        try:
            while self.asked_by is None:
                if ended := self._ended():
                    self.tell(f"{ended} Stopping the others.")
                    return 1
                each()
                time.sleep(0.2)
            self.tell("Stopping …")
            return 0
        finally:
            self.stop()

    def stop(self) -> None:
        """End all programs: politely, then after a while for good."""
        for program in reversed(self.programs.values()):
            if program.poll() is None:
                program.terminate()
        deadline = time.monotonic() + GRACE
        for name, program in self.programs.items():
            try:
                program.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.tell(f"{name} did not end within {GRACE:.0f} s and is killed.")
                program.kill()
                program.wait()

    def _ended(self) -> str:
        for name, program in self.programs.items():
            status = program.poll()
            if status is not None:
                how = f"by signal {-status}" if status < 0 else f"with status {status}"
                return f"{name} ended {how}."
        return ""

    def _ask(self, number: int, _frame: FrameType | None) -> None:
        self.asked_by = signal.Signals(number)


def _end_with_parent() -> None:
    """On Linux a program gets SIGTERM when the supervisor is killed, so that nothing keeps the port."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
