"""What a steward needs to know of a server: where it lives, how it starts, when it answers, how it stops."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, ClassVar

import psutil

from config.embedded.places import (
    Account,
    Place,
    ServiceError,
    own_folder,
    place,
    reachable,
)

PATIENCE = 60.0  # seconds that a server may take to stop before it is killed


class Service:
    """One embedded server of one var folder. Only its steward calls `start`, with the steward's lock held."""

    name: ClassVar[str]
    title: ClassVar[str]
    socket_name: ClassVar[str]
    process_names: ClassVar[tuple[str, ...]]
    stop_signal: ClassVar[signal.Signals]

    def __init__(self, var: Path) -> None:
        self.var = var.resolve()
        self.place: Place = place(self.var, self.name, self.socket_name)

    @property
    def socket(self) -> Path:
        return self.place.sockets / self.socket_name

    @property
    def log(self) -> Path:
        return self.place.control / "log"

    def start(self) -> subprocess.Popen[bytes]:
        """Clear away what a crash left, start the server and wait until it answers."""
        self.place.make()
        self.reap()
        self.prepare()
        with open(self.log, "ab") as log:
            server = self.run(self.command(), log)
        try:
            self.wait_until_ready(server)
        except BaseException:
            server.kill()
            server.wait()
            raise
        return server

    def prepare(self) -> None:
        """Make the data folder ready for the server."""
        raise NotImplementedError

    def command(self) -> list[str]:
        """The server's command line."""
        raise NotImplementedError

    def answers(self) -> bool:
        """Whether the server takes work; finishes what must exist before the first user comes."""
        raise NotImplementedError

    def leftovers(self) -> tuple[Path, ...]:
        """Files that a killed server leaves and that could hinder the next."""
        raise NotImplementedError

    def run(self, command: list[str], output: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start `command` as the server's account, in its data folder, with nothing inherited."""
        user = self.place.account
        return subprocess.Popen(
            command,
            cwd=self.place.data if self.place.data.is_dir() else "/",
            env={"LC_ALL": "C.UTF-8", "PATH": os.defpath, "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            umask=0o077,
            user=user.uid if user else None,
            group=user.gid if user else None,
            extra_groups=[] if user else None,
        )

    def wait_until_ready(self, server: subprocess.Popen[bytes]) -> None:
        """Wait as long as it lives: recovery after a crash may take its time."""
        while not self.answers():
            if server.poll() is not None:
                raise ServiceError(
                    f"It ended with status {server.returncode}. Its log ({self.log}) ends:\n{self.log_tail()}"
                )
            time.sleep(0.01)

    def log_tail(self, lines: int = 15) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def reap(self) -> None:
        """End servers that a crash left in this data folder, then remove their pid and socket files."""
        deadline = time.monotonic() + PATIENCE
        asked: set[int] = set()
        while left := list(self.strays()):
            for process in left:
                try:
                    if time.monotonic() > deadline:
                        process.kill()
                    elif process.pid not in asked:
                        asked.add(process.pid)
                        process.send_signal(self.stop_signal)
                except psutil.NoSuchProcess:
                    continue
            time.sleep(0.05)
        for path in self.leftovers():
            path.unlink(missing_ok=True)

    def strays(self) -> Iterator[psutil.Process]:
        """Processes of this server: known by their name and by working in this data folder, never by a stored pid."""
        for process in psutil.process_iter(["name"]):
            if process.info["name"] not in self.process_names:
                continue
            try:
                if process.status() != psutil.STATUS_ZOMBIE and process.cwd() == str(self.place.data):
                    yield process
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue

    def tidy(self) -> None:
        """After a stop: a socket folder in the temporary folder is not left behind."""
        if self.place.home not in self.place.sockets.parents:
            try:
                self.place.sockets.rmdir()
            except OSError:
                pass  # not empty, or already gone: the next start looks at it again


def runnable(program: Path, tree: Path, home: Path, user: Account | None) -> Path:
    """`program` of the package folder `tree`, or its copy under `home` where the server's account cannot reach it.

    A checkout below a private folder (/root, a home of mode 0700) is one; its permissions are not ours to change.
    """
    if user is None or (reachable(program.parent, user) and program.stat().st_mode & 0o005 == 0o005):
        return program
    if not reachable(home, user):
        raise ServiceError(f"The server's account can reach neither {program} nor {home}. Run as a plain user.")
    stamp = f"{tree.name}-{int(program.stat().st_mtime)}"
    copy = home / stamp
    if not copy.exists():
        draft = home / f"{stamp}.{os.getpid()}"
        shutil.copytree(tree, draft, symlinks=True)
        for path in (draft, *draft.rglob("*")):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o055 if path.is_dir() or os.access(path, os.X_OK) else 0o044))
        draft.rename(copy)
    return copy / program.relative_to(tree)


def package_folder(name: str) -> Path | None:
    """Where an installed package lies, without running it (importing some of these has side effects)."""
    found = importlib.util.find_spec(name)
    return Path(found.submodule_search_locations[0]) if found and found.submodule_search_locations else None


def fresh_data(place_: Place) -> Path:
    """An empty folder beside the data folder, to be renamed to it once complete: a crash leaves no half cluster."""
    draft = place_.data.with_name("data.new")
    shutil.rmtree(draft, ignore_errors=True)
    own_folder(draft, place_.account, 0o700)
    return draft
