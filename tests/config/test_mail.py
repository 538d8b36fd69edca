"""Messages that wait as files."""

from __future__ import annotations

import stat
from pathlib import Path

from django.core.mail import EmailMessage

from config.mail import PrivateFiles


def test_nobody_else_reads_them(tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    folder.mkdir(mode=0o755)
    assert (
        PrivateFiles(file_path=str(folder)).send_messages([EmailMessage("s", "b", "a@x.example", ["b@x.example"])]) == 1
    )
    assert len(list(folder.iterdir())) == 1
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
