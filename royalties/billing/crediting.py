"""How a credit note falls on the invoices of its period, and what stands in a licensee's favour. Pure; minor units.

Receipts and credits settle an invoice in the same way: of the first `settled` of its gross, the net is `core.net_part`.
So each of them is the difference of two cumulative parts, in whatever order they come, and together they sum to the
exact net and VAT.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from licensing.tariffs.core import half_up
from royalties.billing import core


@dataclass(frozen=True, slots=True)
class Standing:
    """An invoice as it stands. `net` and `gross` without what was carried over to it when it was issued.

    `settled`: received and credited so far. `paid_net`, `paid_vat`: what receipts and the carried favour paid.
    `returned_net`, `returned_vat`: what of that earlier credit notes returned.
    """

    invoice: int
    net: int
    gross: int
    settled: int
    paid_net: int
    paid_vat: int
    returned_net: int = 0
    returned_vat: int = 0

    @property
    def open_net(self) -> int:
        return self.net - core.net_part(self.settled, net=self.net, gross=self.gross) if self.gross else 0

    @property
    def open_vat(self) -> int:
        return self.gross - self.settled - self.open_net

    @property
    def left_net(self) -> int:
        """The net that can still be returned."""
        return self.paid_net - self.returned_net


@dataclass(frozen=True, slots=True)
class Part:
    """What a credit note takes off one invoice: of what is open, or (`returned`) of what was paid."""

    invoice: int
    net: int
    vat: int
    returned: bool

    @property
    def gross(self) -> int:
        return self.net + self.vat


def credit(amount: int, invoices: Sequence[Standing]) -> tuple[Part, ...]:
    """The parts of a credit of so much net: off what is open first, the oldest invoice before the next, then off what was paid.

    VAT goes back by the rule by which it was billed: in proportion to each invoice's own, and all of it with the last of
    its net. The sum of the parts' net is `amount`, which must not be more than the invoices still stand for.

    Example: ₩1,100 with ₩100 VAT, ₩330 of it received; a credit of ₩800 net takes off the open ₩700 with ₩70 VAT and
    returns ₩100 with ₩10 VAT.

    >>> [(part.net, part.vat, part.returned) for part in credit(800, [Standing(1, 1000, 1100, 330, 300, 30)])]
    [(700, 70, False), (100, 10, True)]
    """
    off, returned, left = {}, {}, amount
    for each in invoices:
        off[each.invoice] = min(each.open_net, left)
        left -= off[each.invoice]
    for each in invoices:
        returned[each.invoice] = min(each.left_net, left)
        left -= returned[each.invoice]
    if left:
        raise ArithmeticError(f"a credit of {amount} is {left} more than was billed")
    parts = []
    for each in invoices:
        whole = off[each.invoice] == each.open_net and returned[each.invoice] == each.left_net
        if off[each.invoice] or (whole and each.open_vat):
            parts.append(Part(each.invoice, off[each.invoice], _vat_off(each, off[each.invoice]), False))
        if returned[each.invoice] or (whole and each.paid_vat > each.returned_vat):
            vat = _vat_returned(each, returned[each.invoice], whole)
            parts.append(Part(each.invoice, returned[each.invoice], vat, True))
    return tuple(part for part in parts if part.gross)


def _vat_off(invoice: Standing, net: int) -> int:
    """The VAT that goes with so much of an invoice's open net, so that its settled part stays the pro-rata one."""
    if net == invoice.open_net:
        return invoice.open_vat
    before = core.net_part(invoice.settled, net=invoice.net, gross=invoice.gross)
    vat = half_up(Fraction(net * (invoice.gross - invoice.net), invoice.net))

    def reached(vat: int) -> int:
        return core.net_part(invoice.settled + net + vat, net=invoice.net, gross=invoice.gross) - before

    while reached(vat) > net:
        vat -= 1
    while reached(vat) < net:
        vat += 1
    return vat


def _vat_returned(invoice: Standing, net: int, whole: bool) -> int:
    """The VAT that goes with so much of what was paid: all that is left of it with the last of the net."""
    rest = invoice.paid_vat - invoice.returned_vat
    if whole:
        return rest
    until = half_up(Fraction((invoice.returned_net + net) * invoice.paid_vat, invoice.paid_net))
    return max(0, min(rest, until - invoice.returned_vat))


@dataclass(frozen=True, slots=True)
class Favour:
    """What stands in a licence's favour: net and VAT of what was credited after it was paid."""

    net: int = 0
    vat: int = 0

    def towards(self, net: int, vat: int) -> Favour:
        """What of it pays an invoice of so much: its net from the net, its VAT from the VAT, never more than is asked.

        >>> Favour(100, 10).towards(1000, 0)
        Favour(net=100, vat=0)
        """
        return Favour(min(self.net, net), min(self.vat, vat))

    @property
    def gross(self) -> int:
        return self.net + self.vat
