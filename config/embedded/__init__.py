"""A real PostgreSQL and a real Valkey without set-up, for as long as somebody uses them.

With no `DATABASE_URL` and no `REDIS_URL` in the environment the servers come from PyPI packages and live under `var/`,
on Unix sockets only. Importing this, or the settings, starts nothing: the first connection does.

How it works, for each service of each `var` folder on its own:

* **start**: a process that wants the service takes the file lock `start`, so that of many only one starts it.
* **lease**: it then keeps a shared lock on `lease` for as long as it lives. The kernel drops the lock with the process,
  however it ends. A forked child drops its copy at once and takes a lease of its own when it connects.
* **steward**: one small process in a session of its own is the server's parent and holds the lock `steward`. It waits
  for an exclusive lock on `lease`, which it gets when the last lease is gone; then it stops the server and ends.
* **crash**: nothing of this is a pid that must be cleaned up. A free `steward` lock means that nobody looks after the
  service: the next start ends servers that a crash left in that folder, removes their pid and socket files, and begins.

PostgreSQL refuses to run as root, so root's servers run as an unprivileged account (`places.account`). No permission
above `var/` is changed: where that account cannot reach `var/`, the data lies in a private folder that it can reach.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from config.embedded.leases import hold, is_running, release
from config.embedded.places import ServiceError
from config.embedded.postgres import DATABASE, ROLE, Postgres
from config.embedded.service import Service
from config.embedded.valkey import Valkey

__all__ = [
    "ServiceError",
    "database",
    "ensure_postgres",
    "ensure_redis",
    "ensure_valkey",
    "is_running",
    "local_secret",
    "redis_url",
    "release",
    "services",
]

_valkeys: dict[str, Path] = {}  # socket path → the var folder whose Valkey listens there


def services(var: Path) -> tuple[Service, ...]:
    """Both services of one var folder, running or not."""
    return Postgres(var), Valkey(var)


def local_secret(var: Path) -> str:
    """The secret key of this installation, made once and readable by its owner only; races end with one key for all."""
    path = var / "secret"
    if not path.exists():
        var.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"secret.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(secrets.token_urlsafe(50))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


def database(env: Any, var: Path) -> dict[str, Any]:
    """The DATABASES entry: the server that DATABASE_URL names, or the embedded one, started at first connection."""
    common = {"CONN_MAX_AGE": env.int("CONN_MAX_AGE", default=60), "CONN_HEALTH_CHECKS": True}
    url = env.str("DATABASE_URL", default="")
    if url:
        config = env.db_url_config(url)
        if config["ENGINE"] != "django.db.backends.postgresql":
            raise ValueError("DATABASE_URL must name a PostgreSQL database: postgresql://user:password@host/name")
        # A socket folder is spelt as in libpq's own URLs: postgresql://user@%2Fvar%2Frun%2Fpostgresql/name
        return {**config, "HOST": unquote(config["HOST"]), **common}
    return {
        "ENGINE": "config.database",
        "NAME": DATABASE,
        "USER": ROLE,
        "HOST": str(Postgres(var).place.sockets),
        "EMBEDDED": str(var),
        **common,
    }


def redis_url(env: Any, var: Path) -> str:
    """REDIS_URL, or the URL of the embedded Valkey's socket (`unix:///…/valkey.sock`)."""
    url: str = env.str("REDIS_URL", default="")
    if url:
        return url
    path = Valkey(var).socket
    _valkeys[str(path)] = var
    return f"unix://{path}"


def ensure_postgres(var: Path) -> Path:
    """Have the embedded PostgreSQL of `var` running and leased to this process; returns its socket folder."""
    service = Postgres(var)
    hold(service)
    return service.place.sockets


def ensure_valkey(var: Path) -> Path:
    """Have the embedded Valkey of `var` running and leased to this process; returns its socket."""
    service = Valkey(var)
    hold(service)
    return service.socket


def ensure_redis(url: str) -> None:
    """Have the server behind `url` running if it is an embedded one; an outside server is left to its owner."""
    var = _valkeys.get(urlsplit(url).path)
    if var is not None:
        ensure_valkey(var)
