"""Files that are sent as one folder: which paths they may have, and what the names of their folders say. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from typing import Final
from urllib.parse import unquote

from accounts.identity.core import Refusal, say
from licensing.intake.core import column_name

LONGEST: Final = 500
_NONE: Final = "__HIVE_DEFAULT_PARTITION__"  # how such folders write that there is no value


def checked_path(text: str, *, pointer: str = "/path") -> str:
    """A file's place in its folder, as everybody writes it: `year=2026/month=01/part-0.parquet`.

    It is for showing and telling apart, never for opening. Raises Refusal `bad_path`.
    """
    path = unicodedata.normalize("NFC", text)
    parts = path.split("/")
    odd = any(unicodedata.category(c)[0] == "C" for c in unquote(path)) or "\\" in path
    if odd or len(path) > LONGEST or any(part.strip() in ("", ".", "..") for part in parts):
        detail = say(
            "A path is relative, with / between its folders, without . and .., and has at most {longest} characters.",
            longest=LONGEST,
        )
        raise Refusal("bad_path", detail, pointer=pointer)
    return path


def partitions(path: str, columns: Collection[str]) -> tuple[tuple[str, str], ...]:
    """What the folders of a path say of these columns, by column; the innermost folder counts.

    >>> partitions("dataset=news/year=2026/used_on=2026-01-31/part-0.parquet", ["dataset", "used_on"])
    (('dataset', 'news'), ('used_on', '2026-01-31'))
    """
    found: dict[str, str] = {}
    for folder in path.split("/")[:-1]:
        name, _equals, value = folder.partition("=")
        value = unquote(value).strip()
        if value and value != _NONE and column_name(name) in columns:
            found[column_name(name)] = value
    return tuple(sorted(found.items()))
