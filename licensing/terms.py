"""The closed vocabularies of the field: code → English label. Pages show labels with the `term` filter, in their language."""

from typing import Final

USES: Final = {
    "train": "training",
    "finetune": "fine-tuning",
    "ground": "grounding",
    "evaluate": "evaluation",
    "index": "indexing",
}

KINDS: Final = {
    "text": "text",
    "news": "news",
    "book": "book",
    "music": "music",
    "image": "image",
    "audiovisual": "audiovisual",
    "choreography": "choreography",
    "script": "script",
    "web": "web",
    "other": "other",
}

UNITS: Final = {
    "token": "tokens",
    "character": "characters",
    "page": "pages",
    "image": "images",
    "second": "seconds",
    "work": "works",
    "request": "requests",
}

# Identifier schemes; `title` stands for a line that names a work by title only.
SCHEMES: Final = (
    "isbn", "issn", "ismn", "iswc", "isrc", "isan", "doi", "isni", "ipi", "iscc", "uci", "usco", "url", "domain", "proprietary",
)  # fmt: skip

# A line that matched no work has the kind of its scheme.
KIND_OF_SCHEME: Final = {
    "domain": "web", "url": "web", "isbn": "book", "issn": "news", "iswc": "music", "isrc": "music", "ismn": "music", "isan": "audiovisual",
}  # fmt: skip

# How a declared line ends, in the order in which the endings are tried.
LINE_STATUSES: Final = {
    "rejected": "rejected",
    "reserved": "reserved",
    "unmatched": "unmatched",
    "unmandated": "unmandated",
    "unlicensed": "unlicensed",
    "licensed": "licensed",
}

ANY: Final = "*"
PPM: Final = 1_000_000


def covers(codes: "list[str] | tuple[str, ...] | frozenset[str]", code: str) -> bool:
    """Whether a list of codes, or `*`, includes this one."""
    return ANY in codes or code in codes
