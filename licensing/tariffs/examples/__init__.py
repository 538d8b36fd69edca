"""Tariffs that societies and publishers have made public, each by its shape: to start a draft from, and for tests.

The shapes are real and so are the figures that `docs/tariffs.md` gives a source for; the others are examples. None of
them is anybody's tariff here: names and references are our own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from licensing.tariffs.parsing import read_text

_HERE: Final = Path(__file__).parent

EXAMPLES: Final[dict[str, tuple[str | Promise, Path]]] = {
    name: (title, _HERE / f"{name}.json")
    for name, title in {
        "works-by-firm-size": _("A fee by the firm's size and the number of works"),
        "share-of-net-income": _("A share of net income, with a minimum"),
        "tokens-graduated": _("A price a token that falls as use grows"),
        "greatest-of-revenue-and-subscribers": _("The greater of a share of revenue and an amount a subscriber"),
        "per-title-three-years": _("A fee a title for three years"),
        "per-crawl": _("A price a crawl"),
        "outlet-by-the-month.1": _("One outlet's prices, set anew each month"),
        "outlet-by-the-month.2": _("The same outlet's prices a month later"),
        "lesson-levy": _("A levy by image and song, or by student"),
        "fee-on-retraining": _("A fee on each new version of a model"),
    }.items()
}


def read(name: str) -> Any:
    """The document of an example by its name in `EXAMPLES`."""
    return read_text(EXAMPLES[name][1].read_bytes())
