"""Whether a declaration can be right: figures in, questions out. Pure.

A check never refuses anything. It asks, with the figures that made it ask, and the society reads the firm's answer. Only
what would be a mistake of an order of magnitude, or the same use reported twice, holds back acceptance (`serious`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from accounts.identity.core import gettext_noop, say
from licensing import terms

NOTE: Final = "note"
SERIOUS: Final = "serious"
ROW: Final = "row"  # what public figures also count


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From where on a check asks. Each stands with its reason; a change here is a change of policy."""

    # Below this many rows a ratio says more about chance than about the firm.
    fewest_rows: int = 20
    # A question that holds back acceptance needs more: with 100 rows a tenfold change is no accident of a few sites.
    fewest_for_serious: int = 100
    # Use a day: half or double happens between quarters of a growing firm, so from there on it is noted…
    change: Decimal = Decimal(2)
    # … and ten times is the mistake of one digit, of a unit (characters for tokens), or of a file that was cut off.
    change_serious: Decimal = Decimal(10)
    # Unmatched part of the rows, beyond what this firm's declarations had before: 10 points are new sources,
    unmatched: Decimal = Decimal("0.10")
    # 30 points are identifiers that broke.
    unmatched_serious: Decimal = Decimal("0.30")
    # Sites that made a twentieth of the last declaration and are gone are worth a question; half of it gone, an answer.
    missing: Decimal = Decimal("0.05")
    missing_serious: Decimal = Decimal("0.50")
    # Of counted units one in 1,000 is a multiple of 1,000; one in ten among 50 rows does not come by chance (1 in 10⁸).
    fewest_large: int = 50
    round: Decimal = Decimal("0.10")
    # A dataset's card counts the whole: a tenth more is another tokeniser; less is normal where only a part was licensed,
    # but under a half it is worth to know which part.
    above_public: Decimal = Decimal("1.10")
    below_public: Decimal = Decimal("0.50")
    above_public_serious: Decimal = Decimal(2)
    # A total that the firm states itself and its own lines: a hundredth is rounding, a tenth is a missing file.
    total: Decimal = Decimal("0.01")
    total_serious: Decimal = Decimal("0.10")


THRESHOLDS: Final = Thresholds()


@dataclass(frozen=True, slots=True)
class Doubt:
    """A question: its code, what it is about, why it is asked (with the figures), and how serious it is."""

    code: str
    detail: str
    severity: str = NOTE
    about: str = ""


@dataclass(frozen=True, slots=True)
class UnitFigures:
    """What is declared in one unit. `large_rows` have 10,000 units and more, `round_rows` of them multiples of 1,000."""

    rows: int
    units: int
    large_rows: int = 0
    round_rows: int = 0
    least: int = 0
    most: int = 0


@dataclass(frozen=True, slots=True)
class Figures:
    """What one declaration comes to. `number` is how people call it."""

    number: int
    days: int
    rows: int
    unmatched_rows: int
    works: int
    lines: int = 0
    units: Mapping[str, UnitFigures] = field(default_factory=dict)

    @property
    def unmatched(self) -> Decimal:
        return Decimal(self.unmatched_rows) / self.rows if self.rows else Decimal(0)


@dataclass(frozen=True, slots=True)
class Missing:
    """Sites of the declaration before that this one does not name: the largest by name, and what they were of it."""

    hosts: Sequence[str]
    count: int
    units: int
    of_units: int
    unit: str


@dataclass(frozen=True, slots=True)
class PublicSize:
    """What anybody can read about a dataset: so many of a unit (or of its rows), as a source says."""

    dataset: str
    unit: str
    amount: int
    source: str


def doubts(
    now: Figures,
    *,
    before: Sequence[Figures] = (),
    missing: Sequence[Missing] = (),
    public: Sequence[PublicSize] = (),
    stated: Mapping[str, int] | None = None,
    thresholds: Thresholds = THRESHOLDS,
) -> list[Doubt]:
    """Every question that these figures raise, the serious ones first. `before`: earlier declarations, the last one first.

    `stated` are totals that the firm declares beside its lines, by unit.
    """
    found: list[Doubt] = []
    if before:
        found += _changes(now, before[0], thresholds)
        found += _unmatched(now, before, thresholds)
        found += _missing(missing, before[0], now, thresholds)
    found += _round(now, thresholds)
    found += _public(now, public, thresholds)
    found += _totals(now, stated or {}, thresholds)
    return sorted(found, key=lambda doubt: (doubt.severity != SERIOUS, doubt.code, doubt.about))


def _severity(serious: bool, rows: int, thresholds: Thresholds) -> str:
    return SERIOUS if serious and rows >= thresholds.fewest_for_serious else NOTE


_CHANGES: Final = {
    ("units", True): gettext_noop(
        "Much more than before: {now} {unit} a day, where declaration #{number} had {before} a day."
    ),
    ("units", False): gettext_noop(
        "Much less than before: {now} {unit} a day, where declaration #{number} had {before} a day."
    ),
    ("works", True): gettext_noop("Many more works than before: {now}, where declaration #{number} had {before}."),
    ("works", False): gettext_noop("Far fewer works than before: {now}, where declaration #{number} had {before}."),
    ("gone", False): gettext_noop("No {unit} at all, where declaration #{number} had {before} of them."),
}


def _changes(now: Figures, last: Figures, thresholds: Thresholds) -> Iterator[Doubt]:
    """Units a day, and works, against the last declaration. Works do not grow with days, so they are compared as they are."""
    fewest = min(now.rows, last.rows)
    for unit, had in sorted(last.units.items()):
        has = now.units.get(unit)
        if had.rows < thresholds.fewest_rows:
            continue
        if has is None:
            severity = _severity(had.rows * 2 > last.rows, had.rows, thresholds)
            detail = say(_CHANGES["gone", False], unit=_word(unit), number=last.number, before=f"{had.units:,}")
            yield Doubt("unit_gone", detail, severity, unit)
            continue
        rates = Decimal(has.units) / now.days, Decimal(had.units) / last.days
        rows = min(has.rows, had.rows) if rates[0] > rates[1] else had.rows
        yield from _change(
            "units", unit, rates[0], rates[1], rows, thresholds, number=last.number, unit=unit
        )  # a drop may leave few rows: then the many before it count
    if fewest >= thresholds.fewest_rows and last.works and now.works:
        yield from _change(
            "works", "", Decimal(now.works), Decimal(last.works), fewest, thresholds, number=last.number, unit=""
        )


def _change(
    what: str, about: str, now: Decimal, before: Decimal, rows: int, thresholds: Thresholds, *, number: int, unit: str
) -> Iterator[Doubt]:
    if rows < thresholds.fewest_rows or not min(now, before):
        return
    more = now > before
    ratio = now / before if more else before / now
    if ratio >= thresholds.change:
        detail = say(_CHANGES[what, more], now=_count(now), before=_count(before), number=number, unit=_word(unit))
        code = f"{what}_{'rose' if more else 'dropped'}"
        yield Doubt(code, detail, _severity(ratio >= thresholds.change_serious, rows, thresholds), about)


def _unmatched(now: Figures, before: Sequence[Figures], thresholds: Thresholds) -> Iterator[Doubt]:
    usual = [each.unmatched for each in before if each.rows >= thresholds.fewest_rows]
    if now.rows < thresholds.fewest_rows or not usual:
        return
    low, high = min(usual), max(usual)
    beyond = max(now.unmatched - high, low - now.unmatched)
    if beyond > thresholds.unmatched:
        detail = say(
            "{now} of the rows match no work; in {count} earlier declarations it was {low} to {high}.",
            now=_percent(now.unmatched), count=len(usual), low=_percent(low), high=_percent(high),
        )  # fmt: skip
        serious = now.unmatched - high > thresholds.unmatched_serious  # that more matches than ever is no danger
        yield Doubt("unmatched_share", detail, _severity(serious, now.rows, thresholds))


def _missing(missing: Sequence[Missing], last: Figures, now: Figures, thresholds: Thresholds) -> Iterator[Doubt]:
    for each in missing:
        part = Decimal(each.units) / each.of_units if each.of_units else Decimal(0)
        if part < thresholds.missing or last.rows < thresholds.fewest_rows:
            continue
        detail = say(
            "{count} sites of declaration #{number} are missing, which had {part} of its {unit}: {names}.",
            count=each.count, number=last.number, part=_percent(part), unit=_word(each.unit), names=", ".join(each.hosts),
        )  # fmt: skip
        serious = part >= thresholds.missing_serious and now.rows > 0
        yield Doubt("sites_missing", detail, _severity(serious, last.rows, thresholds), each.unit)


def _round(now: Figures, thresholds: Thresholds) -> Iterator[Doubt]:
    """Counted units are seldom round; a firm that estimates should say so. Never serious: estimates may be allowed."""
    for unit, has in sorted(now.units.items()):
        if has.rows >= thresholds.fewest_rows and has.least == has.most > 1:
            detail = say("All {rows} rows have the same number of {unit}: {units}.",
                         rows=f"{has.rows:,}", unit=_word(unit), units=f"{has.most:,}")  # fmt: skip
            yield Doubt("all_equal", detail, NOTE, unit)
        elif has.large_rows >= thresholds.fewest_large:
            part = Decimal(has.round_rows) / has.large_rows
            if part >= thresholds.round:
                detail = say(
                    "{part} of the rows with 10,000 {unit} or more are multiples of 1,000; by chance it would be 0.1 %.",
                    part=_percent(part), unit=_word(unit),
                )  # fmt: skip
                yield Doubt("round_numbers", detail, NOTE, unit)


def _public(now: Figures, public: Sequence[PublicSize], thresholds: Thresholds) -> Iterator[Doubt]:
    """Against what is public about the dataset; where sources differ, the largest and the smallest bound what is likely."""
    by_unit: dict[str, list[PublicSize]] = {}
    for size in public:
        by_unit.setdefault(size.unit, []).append(size)
    for unit, sizes in sorted(by_unit.items()):
        has = UnitFigures(now.lines, now.lines) if unit == ROW else now.units.get(unit)
        if has is None or has.rows < thresholds.fewest_rows:
            continue
        most, least = max(sizes, key=lambda s: s.amount), min(sizes, key=lambda s: s.amount)
        if has.units > most.amount * thresholds.above_public:
            serious = has.units > most.amount * thresholds.above_public_serious
            yield Doubt("above_public_size", _size_said(has, most), _severity(serious, has.rows, thresholds), unit)
        elif unit != ROW and has.units < least.amount * thresholds.below_public:  # a line may stand for many rows
            yield Doubt("below_public_size", _size_said(has, least), NOTE, unit)


def _size_said(has: UnitFigures, size: PublicSize) -> str:
    return say(
        "{units} {unit} are declared of “{dataset}”, of which {source} says that it has {amount}.",
        units=f"{has.units:,}", unit=_word(size.unit), dataset=size.dataset, source=size.source, amount=f"{size.amount:,}",
    )  # fmt: skip


def _totals(now: Figures, stated: Mapping[str, int], thresholds: Thresholds) -> Iterator[Doubt]:
    """A total that stands beside the lines, against their sum. It is the firm's own word, so few rows will do."""
    for unit, total in sorted(stated.items()):
        units = now.units[unit].units if unit in now.units else 0
        apart = Decimal(abs(units - total)) / max(total, units, 1)
        if units and apart > thresholds.total:
            detail = say("The declaration states {total} {unit} in all, its lines come to {units}.",
                         total=f"{total:,}", unit=_word(unit), units=f"{units:,}")  # fmt: skip
            yield Doubt("stated_total", detail, SERIOUS if apart > thresholds.total_serious else NOTE, unit)


def stated_totals(bases: Mapping[str, int], units: Iterable[str]) -> dict[str, int]:
    """Declared figures that are totals of a unit: those called as the unit is, in the singular or plural.

    >>> stated_totals({"tokens": 5, "revenue": 7}, ["token", "page"])
    {'token': 5}
    """
    said = {name.strip().casefold(): amount for name, amount in bases.items()}
    return {
        unit: said[name] for unit in units for name in (unit, f"{unit}s") if name in said
    }  # fmt: skip


def _word(unit: str) -> str:
    return "rows" if unit == ROW else terms.UNITS.get(unit, unit)


def _percent(part: Decimal) -> str:
    return f"{part * 100:.1f} %"


def _count(amount: Decimal) -> str:
    return f"{amount:,.0f}"
