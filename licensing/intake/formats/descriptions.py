"""What datasets say of their own size: a Croissant description (JSON-LD) or a Hugging Face dataset card (YAML front matter).

Only figures that are stated as figures are read, never prose, and none is worked out from another: bytes of packed files
say nothing certain of tokens or rows, and a band of sizes is no figure.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

import yaml

from accounts.identity.core import Refusal, say
from licensing import terms

LONGEST: Final = 16 * 1024**2  # bytes
ROW: Final = "row"
_HUB: Final = "https://huggingface.co/datasets/"
_MOST: Final = 1000  # figures of one description
_MARK: Final = b"\xef\xbb\xbf"
_CARD: Final = re.compile(r"\A---[ \t]*\r?\n(.*?)^---[ \t]*\r?$", re.DOTALL | re.MULTILINE)
_DIGITS: Final = re.compile(r"[0-9]{1,38}|[0-9]{1,3}(,[0-9]{3}){1,12}")
_ROWS: Final = ("row", "record", "example", "sample", "document", "instance", "entry", "entrie")


@dataclass(frozen=True, slots=True)
class Figure:
    """So many of a measure (a unit of the tariffs, or rows), as a source says on a day (None: it does not say which)."""

    dataset: str
    measure: str
    amount: int
    source: str
    stated_on: dt.date | None = None


def is_description(head: bytes) -> bool:
    """Whether a file that begins like this describes a dataset, and is no table of figures.

    >>> is_description(b"---\\npretty_name: C4"), is_description(b' {"@context": {'), is_description(b"dataset,measure")
    (True, True, False)
    """
    text = head.removeprefix(_MARK).lstrip()
    return text.startswith((b"---\n", b"---\r\n", b"---  ")) or (text.startswith(b"{") and b'"@' in text)


def figures(data: bytes, *, dataset: str = "", source: str = "") -> list[Figure]:
    """Every size that it states. `dataset` and `source` (an address) stand for what it says itself, or does not say.

    Raises Refusal `unreadable_file`, `unnamed`, or `no_figures` where it states none.
    """
    if len(data) > LONGEST:
        raise Refusal("too_large", say("A description of a dataset has at most {most} bytes.", most=LONGEST))
    try:
        text = data.removeprefix(_MARK).decode()
    except UnicodeDecodeError as error:
        raise Refusal("unreadable_file", say("The description is not text in UTF-8.")) from error
    card = _CARD.match(text.lstrip())
    if card is None and text.lstrip().startswith("---"):
        _unreadable(say("its front matter does not end"))
    found = _of_card(_yaml(card[1]), dataset, source) if card else _of_croissant(_json(text), dataset, source)
    if not found:
        raise Refusal("no_figures", say("The description states no number of rows, tokens or other units."))
    return found


def _of_card(card: Mapping[str, Any], dataset: str, source: str) -> list[Figure]:
    """`dataset_info`: rows of every configuration by its name, and of all together; `num_tokens` and the like beside it."""
    dataset = dataset or _text(card.get("pretty_name"))
    if not dataset:
        _unnamed()
    source = source or f"{_HUB}{dataset}"
    infos = [each for each in _list(card.get("dataset_info")) if isinstance(each, Mapping)]
    found = [Figure(dataset, *each, source) for each in _numbers([card])]
    totals: dict[str, int] = {}
    for info in infos:
        splits = [each for each in _list(info.get("splits")) if isinstance(each, Mapping)]
        name = _text(info.get("config_name"))
        for measure, amount in _summed(splits).items():
            totals[measure] = totals.get(measure, 0) + amount
            if name and len(infos) > 1:
                found.append(Figure(f"{dataset}/{name}", measure, amount, f"{source}#{name}"))
    stated = {figure.measure for figure in found if figure.dataset == dataset}
    found += [Figure(dataset, measure, amount, source) for measure, amount in totals.items() if measure not in stated]
    return found[:_MOST]


def _summed(splits: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """The sums over the splits of a configuration; a measure that one of them does not state has none."""
    stated = [dict(_numbers([split])) for split in splits]
    measures = set[str]().union(*stated) if stated else set[str]()
    return {m: sum(each[m] for each in stated) for m in sorted(measures) if all(m in each for each in stated)}


def _numbers(texts: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, int]]:
    """`num_examples: 5`, `num_tokens: 7`: measure and amount."""
    for each in texts:
        for name, value in each.items():
            measure = _measure(name.removeprefix("num_")) if isinstance(name, str) and name.startswith("num_") else ""
            if measure and (amount := _amount(value)):
                yield measure, amount


def _of_croissant(node: Mapping[str, Any], dataset: str, source: str) -> list[Figure]:
    """`size`, `variableMeasured` and `additionalProperty` of schema.org, where they name a unit and a number."""
    dataset = dataset or _text(node.get("name"))
    source = source or next((url for url in map(_text, _list(node.get("url"))) if url), "")
    if not dataset:
        _unnamed()
    if not source.startswith(("https://", "http://")):
        raise Refusal("unnamed", say("The description has no address: name the source."), pointer="/source")
    day = next(
        filter(None, (_day(node.get(name)) for name in ("dateModified", "datePublished", "sdDatePublished"))), None
    )
    found: dict[str, int] = {}
    for name in ("size", "variableMeasured", "additionalProperty"):
        for each in _list(node.get(name)):
            measure, amount = _property(each)
            if measure and amount:
                found.setdefault(measure, amount)
    return [Figure(dataset, measure, amount, source, day) for measure, amount in found.items()]


def _property(said: Any) -> tuple[str, int]:
    """Of `{"name": "tokens", "value": 5}`, `{"unitText": "rows", "value": 5}`, or `5 tokens`."""
    if isinstance(said, str):
        number, _blank, unit = said.strip().partition(" ")
        return _measure(unit), _amount(number)
    if not isinstance(said, Mapping):
        return "", 0
    measure = _measure(_text(said.get("unitText"))) or _measure(_text(said.get("name")))
    return measure, _amount(said.get("value"))


def _measure(name: str) -> str:
    """The measure that a word means, in the singular or plural."""
    word = name.strip().casefold().removesuffix("s")
    return word if word in terms.UNITS else ROW if word in _ROWS else ""


def _amount(value: Any) -> int:
    """A whole number above zero, else 0."""
    if isinstance(value, str) and _DIGITS.fullmatch(value.strip()):
        value = int(value.replace(",", ""))
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**38 else 0


def _day(value: Any) -> dt.date | None:
    try:
        return dt.date.fromisoformat(_text(value)[:10])
    except ValueError:
        return None


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _json(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refusal("unreadable_file", say("The description is not valid JSON.")) from error
    kinds = [_text(kind).rpartition(":")[2].rpartition("/")[2] for kind in _list(_get(found, "@type"))]
    if "Dataset" not in kinds:
        _unreadable(say("it describes no dataset"))
    return dict(found)


def _get(found: Any, name: str) -> Any:
    return found.get(name) if isinstance(found, Mapping) else None


class _Plain(yaml.SafeLoader):
    """YAML without references: a few lines of them can stand for more than a memory holds."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.YAMLError("references are not read")
        return super().compose_node(parent, index)


def _yaml(text: str) -> Mapping[str, Any]:
    try:
        found = yaml.load(text, Loader=_Plain)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Refusal("unreadable_file", say("The front matter of the card is not valid YAML.")) from error
    if not isinstance(found, Mapping):
        _unreadable(say("its front matter has no names"))
    return dict(found)


def _unnamed() -> NoReturn:
    raise Refusal("unnamed", say("The description does not name its dataset: name it."), pointer="/dataset")


def _unreadable(why: str) -> NoReturn:
    raise Refusal("unreadable_file", say("The description cannot be read: {why}.", why=why))
