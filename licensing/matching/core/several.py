"""The identifiers of a line that has more than one, as one value; the oracle of what `group.sql` and `meaning.sql` do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

SEVERAL: Final = "several"  # the scheme of such a value


def several(identifiers: Iterable[tuple[str, str]]) -> str:
    """`scheme:value` of each normalised identifier, in one order whatever theirs was, with `;` between.

    >>> several([("isbn", "9780306406157"), ("doi", "10.1000/a;b")])
    'doi:10.1000/a%3Bb;isbn:9780306406157'
    """
    return ";".join(sorted({f"{s}:{v.replace('%', '%25').replace(';', '%3B')}" for s, v in identifiers}))


def members(value: str) -> list[tuple[str, str]]:
    """The identifiers again.

    >>> members("doi:10.1000/a%3Bb;isbn:9780306406157")
    [('doi', '10.1000/a;b'), ('isbn', '9780306406157')]
    """
    parts = (one.partition(":") for one in value.split(";"))
    return [(scheme, text.replace("%3B", ";").replace("%25", "%")) for scheme, _colon, text in parts]
