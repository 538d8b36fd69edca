"""Where a service's files lie, and as whom its server runs."""

from __future__ import annotations

import hashlib
import os
import pwd
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

SOCKET_PATH_LIMIT = 100  # bytes; the kernel's own limit is 107 on Linux and 103 on macOS
UNPRIVILEGED = ("postgres", "nobody", "daemon")  # the first that exists runs root's servers


class ServiceError(RuntimeError):
    """An embedded service could not be started; the text says why and what to do."""


@dataclass(frozen=True)
class Account:
    """The user and group, by number, that a server runs as."""

    uid: int
    gid: int


@dataclass(frozen=True)
class Place:
    """The folders of one service of one var folder."""

    control: Path
    """Locks and log; belongs to whoever runs the project."""
    data: Path
    """Belongs to the account that the server runs as; mode 0700."""
    sockets: Path
    """As `data`. Who may enter this folder may use the server: that is the whole of the authentication."""
    account: Account | None
    """The account to change to before the server starts; None: stay who you are."""

    @property
    def home(self) -> Path:
        """Where the data folder lies: in `control`, or elsewhere when the account cannot reach that."""
        return self.data.parent

    def make_control(self) -> None:
        """Create the folder of the locks; an existing one is checked."""
        own_folder(self.control, None, self._mode)
        if self.account and self.control.parent.stat().st_uid == os.geteuid():
            _let_pass(self.control.parent)

    def make(self) -> None:
        """Create the server's folders; existing ones are checked. For the steward, who also removes them."""
        if self.home != self.control:
            own_folder(self.home, None, self._mode)
        own_folder(self.sockets, self.account, 0o700)

    @property
    def _mode(self) -> int:
        return 0o711 if self.account else 0o700


def place(var: Path, name: str, socket_name: str) -> Place:
    """Work out where the service `name` of `var` lives; touches nothing."""
    var = var.resolve()
    control = var / name
    home, data = control, control / "data"
    user = account(data)
    if user and not reachable(var.parent, user):
        home = _elsewhere(var, user) / name
        data = home / "data"
        user = account(data)
    sockets = home / "sockets"
    if len(os.fsencode(sockets / socket_name)) >= SOCKET_PATH_LIMIT:
        sockets = _temporary() / f"jeongsan-{os.geteuid()}-{_key(var)}-{name}"
    return Place(control=control, data=data, sockets=sockets, account=user)


def account(data: Path) -> Account | None:
    """Who a server over `data` must run as: root gives way to the owner of the data, or to an unprivileged account."""
    if os.geteuid() != 0:
        return None
    try:
        owner = data.stat()
    except (FileNotFoundError, NotADirectoryError):
        owner = None
    if owner is not None and owner.st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    for name in UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(entry.pw_uid, entry.pw_gid)
    raise ServiceError(
        f"PostgreSQL does not run as root and none of the accounts {', '.join(UNPRIVILEGED)} exists. "
        "Run as a plain user, or name an outside server in DATABASE_URL."
    )


def reachable(folder: Path, user: Account) -> bool:
    """Whether `user` may pass through every folder from the root down to `folder` by permission bits."""
    return all(_may_pass(part, user) for part in (folder, *folder.parents))


def own_folder(path: Path, owner: Account | None, mode: int) -> None:
    """Make the folder `path`, or check that nobody else made it: a stranger's folder in /tmp is never trusted."""
    try:
        path.mkdir(parents=True, mode=mode)
    except FileExistsError:
        pass
    except PermissionError as error:
        raise ServiceError(
            f"{path} cannot be created: {error.strerror}. Set JEONGSAN_VAR to a folder of yours."
        ) from error
    info = path.lstat()
    uid, gid = (owner.uid, owner.gid) if owner else (os.geteuid(), os.getegid())
    if not stat.S_ISDIR(info.st_mode) or info.st_uid not in (uid, os.geteuid()):
        raise ServiceError(f"{path} belongs to somebody else. Set JEONGSAN_VAR to a folder of yours, or remove it.")
    if info.st_uid != uid:
        os.chown(path, uid, gid)
    if stat.S_IMODE(info.st_mode) != mode:
        path.chmod(mode)


def _let_pass(var: Path) -> None:
    """Open `var` itself, and nothing above it, for passing through (not for reading)."""
    mode = stat.S_IMODE(var.stat().st_mode)
    if mode & 0o011 != 0o011:
        var.chmod(mode | 0o011)


def _may_pass(folder: Path, user: Account) -> bool:
    try:
        info = folder.stat()
    except FileNotFoundError:
        return True  # made by us later, with a mode that lets the account pass
    if info.st_uid == user.uid:
        return bool(info.st_mode & stat.S_IXUSR)
    if info.st_gid == user.gid:
        return bool(info.st_mode & stat.S_IXGRP)
    return bool(info.st_mode & stat.S_IXOTH)


def _elsewhere(var: Path, user: Account) -> Path:
    """A private folder for root's data when the server's account cannot reach `var`; keyed by its path."""
    for base in (Path("/var/lib"), Path("/var/tmp"), _temporary()):
        if os.access(base, os.W_OK) and reachable(base.resolve(), user):
            return base.resolve() / f"jeongsan-{_key(var)}"
    raise ServiceError(
        f"The server's account cannot reach {var}. Set JEONGSAN_VAR to a folder that everybody may enter."
    )


def _temporary() -> Path:
    """A folder with a short path, the same for every process: so /tmp rather than each one's own TMPDIR."""
    short = Path("/tmp")
    return short.resolve() if short.is_dir() and os.access(short, os.W_OK) else Path(tempfile.gettempdir())


def _key(var: Path) -> str:
    return hashlib.sha256(os.fsencode(var)).hexdigest()[:12]
