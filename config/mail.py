"""Messages as files, where no mail server is named: only the program's own account may read them, for they hold sign-in links."""

from __future__ import annotations

import os
from typing import Any

from django.core.mail.backends import filebased


class PrivateFiles(filebased.EmailBackend):
    """Django's own, in a folder that is closed to others."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        os.chmod(self.file_path, 0o700)
