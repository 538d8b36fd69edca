"""Treemaps: areas for amounts, squarified (Bruls, Huizing, van Wijk 2000), so that tiles are near squares. Pure layout.

A tile may be filled in part: what of it was matched is drawn from its left edge, so that its area says how much.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from config import charts, formats

_SIZES = {"wide": (760, 360), "narrow": (340, 420)}  # in pixels of text of 13
_GAP = 2
_LETTER = 8.4  # pixels that a letter of 13 takes; a Hangul syllable takes two
_FILLS = ("var(--chart-1)", "var(--chart-track)")


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float

    @property
    def area(self) -> float:
        return self.width * self.height


def squarify(amounts: Sequence[float], box: Box) -> list[Box]:
    """A box for each amount, which come from the largest to the smallest; the areas are in their proportion.

    >>> [round(tile.area) for tile in squarify([6, 6, 4, 3, 2, 2, 1], Box(0, 0, 6, 4))]
    [6, 6, 4, 3, 2, 2, 1]
    """
    total = sum(amounts)
    if total <= 0:
        return [Box(box.x, box.y, 0, 0) for _amount in amounts]
    areas = [amount * box.area / total for amount in amounts]
    found: list[Box] = []
    place = 0
    while place < len(areas):
        side = min(box.width, box.height)
        count = 1
        while place + count < len(areas) and _worst(areas[place : place + count + 1], side) <= _worst(
            areas[place : place + count], side
        ):
            count += 1
        row, box = _laid(areas[place : place + count], box)
        found += row
        place += count
    return found


def _worst(row: Sequence[float], side: float) -> float:
    """How far the worst tile of a row along this side is from a square."""
    total, least, most = sum(row), min(row), max(row)
    if least <= 0 or side <= 0:
        return float("inf")
    return max(side * side * most / (total * total), total * total / (side * side * least))


def _laid(row: Sequence[float], box: Box) -> tuple[list[Box], Box]:
    """The tiles of a row along the shorter side, and what is left of the box."""
    total = sum(row)
    if box.width >= box.height:
        width = total / box.height if box.height else 0
        tiles, at = [], box.y
        for area in row:
            height = area / width if width else 0
            tiles.append(Box(box.x, at, width, height))
            at += height
        return tiles, Box(box.x + width, box.y, max(box.width - width, 0), box.height)
    height = total / box.width if box.width else 0
    tiles, at = [], box.x
    for area in row:
        width = area / height if height else 0
        tiles.append(Box(at, box.y, width, height))
        at += width
    return tiles, Box(box.x, box.y + height, box.width, max(box.height - height, 0))


def parts(rows: Iterable[tuple[str, int, int]], *, title: str, done: str, left: str, heading: str = "") -> charts.Chart:
    """A treemap of `(label, whole, part)`, each tile filled by its part; `done` and `left` name the two in the legend."""
    items = sorted(((str(label), int(whole), int(part)) for label, whole, part in rows), key=lambda item: -item[1])
    said = ", ".join(f"{label}: {_share(part, whole)}" for label, whole, part in items[:8])
    drawn = [
        format_html(
            '<svg class="chart-{} chart-tiles" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>',
            size, width, height, f"{title}. {done}: {said}" + ("…" if len(items) > 8 else ""),
            _tiles(items, width, height),
        )
        for size, (width, height) in _SIZES.items()
    ]  # fmt: skip
    whole, part = sum(item[1] for item in items), sum(item[2] for item in items)
    table = [
        [label, formats.number(all_of_it), formats.number(some), _share(some, all_of_it)]
        for label, all_of_it, some in [*items, (_("Total"), whole, part)]
    ]
    return charts.Chart(
        "treemap",
        title,
        mark_safe("".join(drawn)),
        (heading or _("Name"), _("Declared"), done, _("Part")),
        table if items else [],
        [(done, _FILLS[0]), (left, _FILLS[1])],
    )


def _tiles(items: Sequence[tuple[str, int, int]], width: int, height: int) -> SafeString:
    boxes = squarify([float(whole) for _label, whole, _part in items], Box(0, 0, width, height))
    return mark_safe("".join(_tile(item, box) for item, box in zip(items, boxes, strict=True)))


def _tile(item: tuple[str, int, int], box: Box) -> SafeString:
    label, whole, part = item
    width, height = max(box.width - _GAP, 0), max(box.height - _GAP, 0)
    filled = width * part / whole if whole else 0
    at = {"x": f"{box.x:.1f}", "y": f"{box.y:.1f}", "h": f"{height:.1f}"}
    share = _share(part, whole)
    return format_html(
        '<g><title>{}</title><rect x="{}" y="{}" width="{}" height="{}" rx="2" fill="{}"/>'
        '<rect x="{}" y="{}" width="{}" height="{}" rx="2" fill="{}"/>{}</g>',
        f"{label}: {formats.number(part)} / {formats.number(whole)} ({share})",
        at["x"], at["y"], f"{width:.1f}", at["h"], _FILLS[1],
        at["x"], at["y"], f"{filled:.1f}", at["h"], _FILLS[0],
        _words(label, share, box, width, height),
    )  # fmt: skip


def _words(label: str, share: str, box: Box, width: float, height: float) -> SafeString:
    """The name and the part on a plate of their own, where they fit: text must be read on both fills."""
    room = int((width - 16) / _LETTER)
    if height < 26 or room < 4:
        return mark_safe("")
    name = charts.shortened(label, room - 1)  # and its ellipsis
    two = height >= 46
    line = format_html('<text class="quiet" x="{}" y="{}">{}</text>', f"{box.x + 9:.1f}", f"{box.y + 36:.1f}", share)
    return format_html(
        '<rect class="plate" x="{}" y="{}" width="{}" height="{}" rx="2"/><text x="{}" y="{}">{}</text>{}',
        f"{box.x + 4:.1f}", f"{box.y + 4:.1f}",
        f"{min(width - 8, charts.columns(max(name, share if two else '', key=charts.columns)) * _LETTER + 12):.1f}",
        38 if two else 20,
        f"{box.x + 9:.1f}", f"{box.y + 19:.1f}", name, line if two else "",
    )  # fmt: skip


def _share(part: int, whole: int) -> str:
    return formats.percent(f"{100 * part / whole:.1f}") if whole else formats.NOTHING
