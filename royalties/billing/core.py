"""The sums of billing: an invoice's lines, VAT, and how a receipt splits. Pure; all amounts in minor units."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from licensing import terms
from licensing.tariffs.core import Quantity, Rating, Schedule, half_up
from licensing.tariffs.currencies import MINOR_DIGITS, major

PREVIOUSLY_BILLED: Final = "previously_billed"
CREDIT_CARRIED: Final = "credit_carried"
COMPENSATION: Final = "compensation"
DAYS_TO_PAY: Final = 30
SMALL_DIFFERENCE: Final = 1_000
MOST_CHARGES: Final = 50_000
_REF_LENGTH: Final = 24


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an invoice: a charge as rated, a rule that changed the sum, or what was billed before."""

    description: str
    model: str
    quantity: int | None
    unit: str
    amount: int
    explanation: tuple[dict[str, str], ...] = ()

    @property
    def charge(self) -> dict[str, str]:
        """Name and model, as the filter `charge_name` takes them."""
        return {"name": self.description, "model": self.model}


@dataclass(frozen=True, slots=True)
class Earlier:
    """An invoice that the same licence got for the same period before."""

    number: str
    net: int


def lines(rating: Rating, earlier: Sequence[Earlier] = ()) -> tuple[Line, ...]:
    """The lines of an invoice; they sum to the rating's amount less what was billed before.

    A late or amended declaration is rated together with the others of its period, so that tiers count them all; the
    last line takes away what the earlier invoices asked for.
    """
    charges = tuple(
        Line(
            line.name,
            line.model,
            line.quantity,
            line.unit,
            line.amount,
            tuple(step.as_data() for step in line.explanation),
        )
        for line in (*rating.lines, *rating.adjustments)
    )
    if not earlier:
        return charges
    said = tuple(
        {"code": "charge", "name": each.number, "product": major(each.net, rating.currency)} for each in earlier
    )
    before = sum(each.net for each in earlier)
    return (*charges, Line("already billed", PREVIOUSLY_BILLED, None, "", -before, said))


def carried_line(amount: int) -> Line:
    """What stood in the licensee's favour and pays of this invoice's gross. It is no part of the net."""
    return Line("credit from before", CREDIT_CARRIED, None, "", -amount)


def compensation_line(
    *, case: int, currency: str, ordinary: int | None, multiple: str, proposed: int | None, amount: int
) -> Line:
    """The one line of an invoice of compensation: from the ordinary fee to what the case was settled on."""
    steps = [{"code": "ordinary", "product": major(ordinary, currency)}] if ordinary is not None else []
    if proposed is not None:
        steps.append({"code": "asked", "name": multiple, "product": major(proposed, currency)})
    steps.append({"code": "settled", "product": major(amount, currency)})
    return Line(f"#{case}", COMPENSATION, None, "", amount, tuple(steps))


def by_use(rating: Rating, schedule: Schedule, quantities: Sequence[Quantity], net: int) -> dict[str, int]:
    """A sum by use, in minor units, for the society's figures; it sums to `net` exactly.

    A charge counts for the uses that it priced, by their units; what counts no units (flat fees, bases, a minimum) is
    spread as the rest is. Rounded by largest remainder, ties to the use first in the alphabet.
    """
    charges = {charge.name: charge for charge in schedule.charges}
    weights: dict[str, Fraction] = {}
    for line in rating.lines:
        charge = charges.get(line.name)
        fitting = [q for q in quantities if charge and charge.counts_units and charge.fits(q.use, q.kind, q.unit)]
        total = sum(q.units for q in fitting)
        for q in fitting if total else ():
            weights[q.use] = weights.get(q.use, Fraction(0)) + Fraction(line.amount * q.units, total)
    if not sum(weights.values()):
        weights = {use: Fraction(1) for use in {q.use for q in quantities} or _named_uses(schedule)}
    return shared(net, weights)


def less_by_use(total: Mapping[str, int], earlier: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """A period's total by use less what was billed before: one use may fall where another rises.

    >>> less_by_use({"ground": 300, "train": 100}, [{"train": 150}])
    {'ground': 300, 'train': -50}
    """
    left = dict(total)
    for before in earlier:
        for use, amount in before.items():
            left[use] = left.get(use, 0) - amount
    return dict(sorted((use, amount) for use, amount in left.items() if amount))


def _named_uses(schedule: Schedule) -> set[str]:
    """The uses that a schedule's charges name; every known one where a charge is for any."""
    named = {use for charge in schedule.charges for use in charge.uses}
    return set(terms.USES) if terms.ANY in named or not named else named


def shared(total: int, weights: dict[str, Fraction]) -> dict[str, int]:
    """A total by largest remainder; ties to the key first in the alphabet."""
    whole = sum(weights.values())
    parts = {use: total * weight / whole for use, weight in weights.items() if weight}
    shares = {use: int(part) for use, part in parts.items()}
    by_remainder = sorted(parts, key=lambda use: (shares[use] - parts[use], use))
    for use in by_remainder[: total - sum(shares.values())]:
        shares[use] += 1
    return dict(sorted(shares.items()))


def vat_of(net: int, percent: Decimal | None) -> int:
    """VAT on an invoice's net, rounded once, half up; none where no rule applies. It never enters a pool.

    >>> vat_of(428586, Decimal("10"))
    42859
    """
    return half_up(Fraction(net) * Fraction(percent) / 100) if percent is not None else 0


def net_part(received: int, *, net: int, gross: int) -> int:
    """The net in the first `received` of an invoice's gross, pro rata, half up: all of `net` once all is received."""
    return half_up(Fraction(received * net, gross))


def split(amount: int, *, received: int, net: int, gross: int) -> tuple[int, int]:
    """(net, VAT) of a receipt that comes after `received`, so that receipts always sum to the exact pro-rata part.

    Each is the difference of two cumulative parts, so three receipts of a third lose nothing to rounding.

    >>> [split(paid, received=before, net=100, gross=110) for paid, before in ((37, 0), (37, 37), (36, 74))]
    [(34, 3), (33, 4), (33, 3)]
    """
    pool = net_part(received + amount, net=net, gross=gross) - net_part(received, net=net, gross=gross)
    return pool, amount - pool


def number(society_ref: str, year: int, place: int) -> str:
    """An invoice's number: gapless within a society and year, and told apart from other societies'.

    >>> number("KOREA-WEB", 2026, 7)
    'KOREA-WEB-2026-0007'
    """
    return f"{prefix(society_ref, year)}{place:04d}"


def prefix(society_ref: str, year: int) -> str:
    return f"{society_ref[:_REF_LENGTH]}-{year}-"


def due_on(issued_on: datetime.date) -> datetime.date:
    return issued_on + datetime.timedelta(days=DAYS_TO_PAY)


def small(currency: str) -> int:
    """The most that counts as a small difference, and as charges that banks kept on the way: in minor units.

    ₩1,000 where a currency has no smaller unit, else so many hundredths: $10.00.

    >>> small("KRW"), small("USD")
    (1000, 1000)
    """
    return SMALL_DIFFERENCE if MINOR_DIGITS[currency] in (0, 2) else SMALL_DIFFERENCE * 10


def most_charges(currency: str) -> int:
    """The most that one person may book as charges kept by banks on the way of one payment: ₩50,000, $50.00.

    >>> most_charges("KRW"), most_charges("USD")
    (50000, 5000)
    """
    return MOST_CHARGES if MINOR_DIGITS[currency] == 0 else 50 * 10 ** MINOR_DIGITS[currency]


def business_number_fits(digits: str) -> bool:
    """Whether the last digit of a Korean business registration number (사업자등록번호, ten digits) is its check digit.

    Weights 1 3 7 1 3 7 1 3 5; of the ninth digit's product, the tens count too; the sum and the last digit make whole tens.

    >>> business_number_fits("1168200276"), business_number_fits("1168200277")
    (True, False)
    """
    numbers = [int(digit) for digit in digits]
    total = sum(weight * digit for weight, digit in zip((1, 3, 7, 1, 3, 7, 1, 3, 5), numbers, strict=False))
    return (total + numbers[8] * 5 // 10 + numbers[9]) % 10 == 0
