"""The codes of `terms` as people say them, in their language. Pages use the filters `term`, `terms` and `unit`."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from licensing.terms import ANY

# The labels of licensing.terms, once more as literals, so that the translator's tools find them.
LABELS: Final = {
    "train": gettext_lazy("training"),
    "finetune": gettext_lazy("fine-tuning"),
    "ground": gettext_lazy("grounding"),
    "evaluate": gettext_lazy("evaluation"),
    "index": gettext_lazy("indexing"),
    "text": gettext_lazy("text"),
    "news": gettext_lazy("news"),
    "book": gettext_lazy("book"),
    "music": gettext_lazy("music"),
    "image": gettext_lazy("image"),
    "audiovisual": gettext_lazy("audiovisual"),
    "choreography": gettext_lazy("choreography"),
    "script": gettext_lazy("script"),
    "web": gettext_lazy("web"),
    "other": gettext_lazy("other"),
}
UNITS: Final = {
    "token": gettext_lazy("tokens"),
    "character": gettext_lazy("characters"),
    "page": gettext_lazy("pages"),
    "image": gettext_lazy("images"),
    "second": gettext_lazy("seconds"),
    "work": gettext_lazy("works"),
    "request": gettext_lazy("requests"),
}
# Roles in which shares are held. A society may write others; they are shown as written.
ROLES: Final = {
    "author": gettext_lazy("author"),
    "composer": gettext_lazy("composer"),
    "lyricist": gettext_lazy("lyricist"),
    "arranger": gettext_lazy("arranger"),
    "translator": gettext_lazy("translator"),
    "editor": gettext_lazy("editor"),
    "illustrator": gettext_lazy("illustrator"),
    "photographer": gettext_lazy("photographer"),
    "choreographer": gettext_lazy("choreographer"),
    "performer": gettext_lazy("performer"),
    "producer": gettext_lazy("producer"),
    "publisher": gettext_lazy("publisher"),
}
STATUSES: Final = {
    "rejected": gettext_lazy("rejected"),
    "reserved": gettext_lazy("reserved"),
    "unmatched": gettext_lazy("unmatched"),
    "unmandated": gettext_lazy("unmandated"),
    "unlicensed": gettext_lazy("unlicensed"),
    "licensed": gettext_lazy("licensed"),
}

# What a licensed use rests on.
BASES: Final = {
    "licence": pgettext_lazy("basis", "licence"),
    "free": pgettext_lazy("basis", "public domain"),
    "individual": pgettext_lazy("basis", "licensed by its holders directly"),
    "statutory": pgettext_lazy("basis", "statutory scheme"),
}


def label(code: str) -> str:
    """A use, a kind of work or a line's status: `train` → training; `*` → any."""
    return _("any") if code == ANY else str(LABELS.get(code) or STATUSES.get(code) or code)


def unit_label(code: str) -> str:
    """A unit of measure, in the plural: `token` → tokens."""
    return _("any unit") if code == ANY else str(UNITS.get(code) or code)


def basis_label(code: str) -> str:
    """What a licensed use rests on: `free` → public domain."""
    return str(BASES.get(code) or code)


def role_label(code: str) -> str:
    """The role of a share: `publisher` → publisher; one that the house does not know, as the society wrote it."""
    return str(ROLES.get(code.lower()) or code)
