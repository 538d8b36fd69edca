"""What of a holder's net goes to whom: garnishments first, then payees other than the holder, the rest to the holder. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from accounts.identity.core import Refusal, say

WHOLE: Final = 1_000_000  # parts per million
OWN: Final = None  # of a part: the holder's own payee details

Key = TypeVar("Key", int, str)


@dataclass(frozen=True, slots=True)
class Claim:
    """A right to a part of what is paid: to whose details, how much at most of each payment, and how much in all is left.

    `left` is in minor units; None where no total was fixed.
    """

    entitlement_id: int
    to_details_id: int
    ppm: int
    left: int | None = None
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Terms:
    """Every right to one holder's payments on one day. `blocked` says why nothing may be paid now, else it is empty:

    `entitlement`: the holder has died and the portions of the heirs on record do not come to the whole yet;
    `receiver_blocked`: a part is due to somebody without payee details that can be used.
    """

    garnishments: tuple[Claim, ...] = ()
    payees: tuple[Claim, ...] = ()
    blocked: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """An amount of a payment, to whose payee details (`OWN`: the holder's), and by which entitlement (None: the holder's own)."""

    to_details_id: int | None
    amount: int
    entitlement_id: int | None = None


def divide(net: int, terms: Terms) -> tuple[Part, ...]:
    """A holder's net, in minor units, among everyone with a right to it. The parts sum to the net; none is zero.

    Garnishments in order of priority (then of their ids): each takes its portion of the whole net, rounded down because an
    order allows no more, and no more than what is left of its total or of the net. What remains is divided among payees other
    than the holder and the holder by largest remainder. The order in which the rights are listed does not matter.

    >>> order, friend = Claim(7, 70, ppm=500_000, left=30_000), Claim(8, 80, ppm=100_000)
    >>> [(part.to_details_id, part.amount) for part in divide(100_001, Terms(garnishments=(order,), payees=(friend,)))]
    [(70, 30000), (80, 7000), (None, 63001)]
    """
    if net < 0:
        raise Refusal("negative_net", say("Nothing can be divided of less than nothing."))
    found, rest = [], net
    for claim in sorted(terms.garnishments, key=lambda each: (each.priority, each.entitlement_id)):
        amount = min(net * claim.ppm // WHOLE, rest, rest if claim.left is None else max(claim.left, 0))
        found.append(Part(claim.to_details_id, amount, claim.entitlement_id))
        rest -= amount
    payees = {each.entitlement_id: each for each in terms.payees}
    shared, own = portions(rest, [(pk, each.ppm) for pk, each in sorted(payees.items())])
    found += [Part(payees[pk].to_details_id, amount, pk) for pk, amount in shared.items()]
    return tuple(part for part in (*found, Part(OWN, own)) if part.amount)


def portions(amount: int, parts: Iterable[tuple[Key, int]]) -> tuple[dict[Key, int], int]:
    """An amount by largest remainder among parts (key, ppm), and what is left over for whoever holds the rest of the ppm.

    Ties go to the smaller key; who holds the rest comes last. Parts over the whole are refused.

    >>> portions(100, [("B", 333_333), ("A", 333_334), ("C", 333_333)])
    ({'A': 34, 'B': 33, 'C': 33}, 0)
    >>> portions(101, [("A", 500_000)])
    ({'A': 51}, 50)
    """
    ordered: Sequence[tuple[Key, int]] = sorted(parts)
    rest = WHOLE - sum(ppm for _key, ppm in ordered)
    if rest < 0 or any(ppm < 0 for _key, ppm in ordered):
        raise Refusal("more_than_the_whole", say("The portions come to more than the whole."))
    shares = [amount * ppm // WHOLE for _key, ppm in ordered] + [amount * rest // WHOLE]
    remainders = [amount * ppm % WHOLE for _key, ppm in ordered] + [amount * rest % WHOLE]
    by_remainder = sorted(range(len(shares)), key=lambda place: (-remainders[place], place))
    for place in by_remainder[: amount - sum(shares)]:
        shares[place] += 1
    return {key: shares[place] for place, (key, _ppm) in enumerate(ordered)}, shares[-1]
