"""Compliance in words: why a case asks for its amount."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config import formats
from config.retelling import retold
from licensing.compliance.models import Case, CaseScan
from licensing.labels import unit_label
from licensing.tariffs.core import half_up

register = template.Library()
Step = dict[str, str]


@register.filter
def why_asked(case: Case, scan: CaseScan | None) -> list[Step]:
    """The way from the tariff to what is asked, as `components/explanation.html` shows it."""
    facts = case.explanation or {}
    steps = [_charge(case, charge) for charge in facts.get("charges", ())]
    steps.append(_ordinary(case, facts, scan))
    multiple = Decimal(facts.get("multiple", "1"))
    if case.ordinary is not None and multiple != 1:
        product = half_up(Fraction(case.ordinary) * Fraction(multiple))
        detail = f"{formats.money(case.ordinary, case.currency)} × {formats.number(multiple.normalize())}"
        steps.append(_said(_("As the society’s terms ask for use without permission"), product, case, detail))
    if facts.get("per_work") is not None:
        detail = ngettext("%(works)s work × %(amount)s", "%(works)s works × %(amount)s", case.works) % {
            "works": formats.number(case.works), "amount": formats.money(facts["per_work"], case.currency),
        }  # fmt: skip
        steps.append(_said(_("At least an amount for each work"), case.works * facts["per_work"], case, detail))
    if facts.get("settled_before"):
        before = formats.money(facts["settled_before"], case.currency)
        detail = _("for the declaration that this one took the place of")
        steps.append({"label": _("Settled before"), "value": f"− {before}", "detail": detail})
    steps.append(_asked(case))
    return steps


def _said(label: str, amount: int, case: Case, detail: str = "") -> Step:
    return {"label": label, "value": formats.money(amount, case.currency), "detail": detail}


def _charge(case: Case, charge: dict[str, Any]) -> Step:
    detail = _("%(amount)s for all such uses of the declaration, by units and parts: %(weight)s of %(total)s") % {
        "amount": formats.money(charge["amount"], case.currency),
        "weight": formats.number(_whole(charge["weight"])),
        "total": formats.number(_whole(charge["total"])),
    }
    return _said(charge["name"], charge["part"], case, detail)


def _whole(weight: str) -> Decimal:
    """Units × ppm as units of which the holder has the whole."""
    return Decimal(weight).scaleb(-6).normalize()


def _ordinary(case: Case, facts: dict[str, Any], scan: CaseScan | None) -> Step:
    """What the tariff would have asked, or why it says nothing."""
    label = _("What the tariff would have asked")
    if case.ordinary is None:
        problem = retold(scan.problem) if scan and scan.problem else _("No charge of the tariff prices these uses.")
        return {"label": label, "value": "–", "detail": problem}
    said = [_("tariff %(tariff)s") % {"tariff": scan.tariff}] if scan and scan.tariff else []
    if facts.get("of_charges") not in (None, case.ordinary):
        said.append(_("lowered as the tariff lowers its sum"))
    if facts.get("unpriced"):
        lines = facts["unpriced"]
        text = ngettext(
            "%(lines)s line that no charge prices is not in it",
            "%(lines)s lines that no charge prices are not in it",
            lines,
        )
        said.append(text % {"lines": formats.number(lines)})
    return _said(label, case.ordinary, case, "; ".join(said))


def _asked(case: Case) -> Step:
    if case.proposed is None:
        detail = _("Nothing puts a price on it: the society has to name an amount.")
        return {"label": _("Amount asked"), "value": "–", "detail": detail}
    return _said(_("Amount asked"), case.proposed, case)


@register.filter
def quantities(units: dict[str, int]) -> str:
    """Sums by unit in words: 2,000 tokens, 3 pages."""
    return ", ".join(f"{formats.number(count)} {unit_label(unit)}" for unit, count in sorted(units.items()))
