"""Rating: what declared use costs under a tariff version, exactly and with its explanation. Pure.

Quantities of one licence and one billing period come in together, since tiers count their sum. Every fitting charge
prices a line. Each charge is rounded once, half up, to minor units; then charges combine (`sum` or `greatest`), then
the minimum, then the cap. `parse` reads the document, `rate` applies it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any, Final

from accounts.identity.core import Refusal, say
from licensing import terms
from licensing.tariffs.charges.base import Measure, Step, exact
from licensing.tariffs.currencies import MINOR_DIGITS, major
from licensing.tariffs.parsing import digest, parse, read_text
from licensing.tariffs.schedule import MAX_AMOUNT, Charge, Schedule, SelfService

__all__ = [
    "Charge",
    "Quantity",
    "RatedCharge",
    "Rating",
    "Schedule",
    "Scope",
    "SelfService",
    "Step",
    "digest",
    "parse",
    "rate",
    "read_text",
]


@dataclass(frozen=True, slots=True, order=True)
class Quantity:
    """Declared units of one use, kind and unit, and the distinct works they are of, where those were counted."""

    use: str
    kind: str
    unit: str
    units: int
    works: int = 0

    def said(self) -> str:
        """`5,000 tokens of book for training`, in the reader's language."""
        use, kind, unit = say(terms.USES[self.use]), say(terms.KINDS[self.kind]), say(terms.UNITS[self.unit])
        return say("{units:,} {unit} of {kind} for {use}", units=self.units, unit=unit, kind=kind, use=use)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a licence is for. A flat fee or percentage is owed only where its uses and kinds meet the licence's."""

    uses: Collection[str] = (terms.ANY,)
    kinds: Collection[str] = (terms.ANY,)


ANYTHING: Final = Scope()


@dataclass(frozen=True, slots=True)
class RatedCharge:
    """What one charge costs, in minor units, and why. An adjustment (`greatest`, `minimum`, `cap`) may be negative."""

    name: str
    model: str
    quantity: int | None
    unit: str
    amount: int
    explanation: tuple[Step, ...]

    def as_data(self) -> dict[str, Any]:
        return asdict(self) | {"explanation": [step.as_data() for step in self.explanation]}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> RatedCharge:
        return cls(**{**data, "explanation": tuple(Step.from_data(step) for step in data["explanation"])})


@dataclass(frozen=True, slots=True)
class Rating:
    """An amount in minor units with everything it is made of: `amount` is the sum of `lines` and `adjustments`.

    It can be billed only when nothing is `unpriced` (lines that no charge fits) and no figure that a charge takes its
    percentage of or counts is missing (`missing_bases`).
    """

    currency: str
    amount: int
    lines: tuple[RatedCharge, ...]
    adjustments: tuple[RatedCharge, ...] = ()
    unpriced: tuple[Quantity, ...] = ()
    missing_bases: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()

    @property
    def billable(self) -> bool:
        return not self.unpriced and not self.missing_bases

    def problems(self) -> list[dict[str, str]]:
        """What stands in the way of a bill, in words: each unpriced quantity and each missing figure."""
        unpriced = [
            {"code": "unpriced", "detail": say("No charge of the tariff prices {what}.", what=quantity.said())}
            for quantity in self.unpriced
        ]
        missing = [
            {
                "code": "missing_base",
                "detail": say("The tariff asks for “{name}”, which was not declared.", name=name),
            }
            for name in self.missing_bases
        ]
        return unpriced + missing

    def require_billable(self) -> None:
        """Raise a Refusal that names each unpriced quantity and missing figure."""
        if errors := self.problems():
            raise Refusal(errors[0]["code"], " ".join(error["detail"] for error in errors), errors=errors)

    def as_data(self) -> dict[str, Any]:
        """JSON of integers and strings; `from_data` reads it back."""
        return {
            "currency": self.currency,
            "amount": self.amount,
            "lines": [line.as_data() for line in self.lines],
            "adjustments": [line.as_data() for line in self.adjustments],
            "unpriced": [asdict(quantity) for quantity in self.unpriced],
            "missing_bases": list(self.missing_bases),
            "steps": [step.as_data() for step in self.steps],
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Rating:
        return cls(
            currency=data["currency"],
            amount=data["amount"],
            lines=tuple(RatedCharge.from_data(line) for line in data["lines"]),
            adjustments=tuple(RatedCharge.from_data(line) for line in data["adjustments"]),
            unpriced=tuple(Quantity(**quantity) for quantity in data["unpriced"]),
            missing_bases=tuple(data["missing_bases"]),
            steps=tuple(Step.from_data(step) for step in data["steps"]),
        )


def rate(
    schedule: Schedule,
    *,
    quantities: Sequence[Quantity],
    bases: Mapping[str, int] | None = None,
    tier: str = "",
    works: Mapping[str, int] | None = None,
    scope: Scope = ANYTHING,
) -> Rating:
    """What one licence owes for one billing period, in minor units.

    `quantities`: all priceable use of the period, in any order. `bases`: declared figures by name, the bases of
    percentages in minor units, counts as whole numbers. `tier`: the licensee's. `works`: exact distinct works by charge
    name, for `per_work` charges that span several quantities, since a work may stand in more than one of them; without
    it the quantities' own counts are added.

    Example: 30 % of a base of ₩412,345,679, or ₩50,000,000 where that is more: 123,703,703.7 → ₩123,703,704.
    """
    charges = [charge for charge in schedule.charges if charge.serves(tier)]
    declared = bases or {}
    lines = []
    missing = set()
    for charge in charges:
        fitting = [q for q in quantities if charge.fits(q.use, q.kind, q.unit)]
        owed = charge.standing and charge.meets(scope.uses, scope.kinds)
        if not fitting and not owed:
            continue
        if charge.figure and charge.figure not in declared:
            missing.add(charge.figure)
            continue
        lines.append(_rated(schedule, charge, fitting, declared.get(charge.figure, 0), works))
    amount, adjustments, steps = _combined(schedule, lines)
    return Rating(
        currency=schedule.currency,
        amount=_bounded(amount),
        lines=tuple(lines),
        adjustments=adjustments,
        unpriced=_unpriced(charges, quantities),
        missing_bases=tuple(sorted(missing)),
        steps=steps,
    )


def half_up(number: Fraction) -> int:
    """A number that is not negative to the nearest whole, a half upward.

    >>> half_up(Fraction("0.5")), half_up(Fraction("123703703.7"))
    (1, 123703704)
    """
    return (2 * number.numerator + number.denominator) // (2 * number.denominator)


def _rated(
    schedule: Schedule, charge: Charge, fitting: Sequence[Quantity], declared: int, works: Mapping[str, int] | None
) -> RatedCharge:
    """One charge over all the quantities that fit it, or over the figure declared for it, rounded once."""
    minor = 10 ** MINOR_DIGITS[schedule.currency]
    unit = charge.count or (charge.unit if charge.counts_units else "")
    measure = Measure(
        units=declared if charge.count else sum(q.units for q in fitting),
        works=works[charge.name] if works and charge.name in works else sum(q.works for q in fitting),
        base=Fraction(declared, minor) if charge.base else Fraction(0),
        unit=unit,
    )
    priced = charge.rates.price(measure)
    amount = _bounded(half_up(priced.amount * minor))
    rounded = Step("round", quantity=exact(priced.amount), product=major(amount, schedule.currency))
    return RatedCharge(
        name=charge.name,
        model=charge.model,
        quantity=charge.rates.quantity(measure),
        unit="work" if charge.model == "per_work" else unit,
        amount=amount,
        explanation=(*priced.steps, rounded),
    )


def _combined(
    schedule: Schedule, lines: Sequence[RatedCharge]
) -> tuple[int, tuple[RatedCharge, ...], tuple[Step, ...]]:
    """The charges combined, then the minimum, then the cap: the amount, what each rule changed, and the steps."""

    def said(amount: int) -> str:
        return major(amount, schedule.currency)

    amounts = [line.amount for line in lines]
    total = sum(amounts)
    combined = max(amounts, default=0) if schedule.combine == "greatest" else total
    steps = [Step("charge", name=line.name, product=said(line.amount)) for line in lines]
    steps.append(Step(schedule.combine, product=said(combined)))
    rules = [(schedule.combine, combined - total, steps[-1])]
    amount = combined
    for rule, bound, binds in (("minimum", schedule.minimum, max), ("cap", schedule.cap, min)):
        if bound is not None:
            after = binds(amount, bound)
            steps.append(Step(rule, price=said(bound), product=said(after)))
            rules.append((rule, after - amount, steps[-1]))
            amount = after
    adjustments = tuple(RatedCharge(rule, rule, None, "", change, (step,)) for rule, change, step in rules if change)
    return amount, adjustments, tuple(steps)


def _unpriced(charges: Sequence[Charge], quantities: Sequence[Quantity]) -> tuple[Quantity, ...]:
    """What no charge fits, one entry a use, kind and unit."""
    found: dict[tuple[str, str, str], Quantity] = {}
    for q in quantities:
        if q.units and not any(charge.fits(q.use, q.kind, q.unit) for charge in charges):
            key = (q.use, q.kind, q.unit)
            before = found.get(key, Quantity(*key, units=0))
            found[key] = Quantity(*key, units=before.units + q.units, works=before.works + q.works)
    return tuple(sorted(found.values()))


def _bounded(amount: int) -> int:
    if amount > MAX_AMOUNT:
        raise Refusal(
            "amount_too_large",
            say(
                "This comes to {amount} minor units, more than the {most} that one amount may be. "
                "Check the units declared and the tariff's prices.",
                amount=amount,
                most=MAX_AMOUNT,
            ),
        )
    return amount
