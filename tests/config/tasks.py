"""Tasks that tests watch: a worker loads them with `include`."""

from __future__ import annotations

import os
import time
from pathlib import Path

from config.celery import app

VISIBILITY = 3  # seconds, where the real one is longer than the longest task

if os.environ.get("SHORT_VISIBILITY"):
    app.conf.broker_transport_options |= {"visibility_timeout": VISIBILITY, "unacked_restore_interval": 1}


@app.task(name="tests.note")
def note(path: str, hold: str = "") -> None:
    """Write down that it began, wait until the file `hold` is gone, write down that it ended."""
    with Path(path).open("a") as notes:
        notes.write(f"began {os.getpid()}\n")
        notes.flush()
        while hold and Path(hold).exists():
            time.sleep(0.05)
        notes.write("ended\n")
