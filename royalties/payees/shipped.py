"""The tax law that comes along, as data: the documents of `law/`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from royalties.payees.core import TaxRule, parse, read_text

_LAW = Path(__file__).with_name("law")


def shipped() -> Iterator[tuple[Any, TaxRule]]:
    """Each document with what it says, in the order of their days."""
    documents = [document for file in sorted(_LAW.glob("*.json")) for document in read_text(file.read_bytes())]
    yield from sorted(((document, parse(document)) for document in documents), key=lambda each: each[1].valid_from)


def digest(document: Any) -> str:
    """SHA-256 of a document's meaning: key order and blanks do not count."""
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
