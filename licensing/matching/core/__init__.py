"""How what a line says is told apart and compared: web places, titles with creators, several identifiers. Pure."""

from licensing.matching.core.places import LEVELS, WEB, Registered, nearest, nearest_of, places
from licensing.matching.core.several import SEVERAL, members, several
from licensing.matching.core.titles import key_parts, plain_title, short_title, spellings, title_key

__all__ = [
    "LEVELS",
    "SEVERAL",
    "WEB",
    "Registered",
    "key_parts",
    "members",
    "nearest",
    "nearest_of",
    "places",
    "plain_title",
    "several",
    "short_title",
    "spellings",
    "title_key",
]
