"""The tax rules, as public as the law is: each with its days, its taxes and where the law says so."""

from __future__ import annotations

import json
from fractions import Fraction

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.access.paging import paginate
from accounts.identity.core import NotFound
from royalties.payees.core import TaxTerm, parse
from royalties.payees.models import TaxRule


@require_GET
def tax_rules(request: HttpRequest) -> HttpResponse:
    found = TaxRule.objects.order_by("jurisdiction", "ref", "-version")
    page = paginate(request, found)
    today = timezone.localdate()
    context = {
        "page": page, "rows": [(rule, parse(rule.document)) for rule in page.object_list],
        "in_force": set(TaxRule.objects.in_force(today).values_list("pk", flat=True)),
    }  # fmt: skip
    return render(request, "royalties/payees/tax_rules.html", context)


@require_GET
def tax_rule(request: HttpRequest, tax_rule_id: int) -> HttpResponse:
    found = TaxRule.objects.filter(pk=tax_rule_id).first()
    if found is None:
        raise NotFound(_("There is no such tax rule."))
    said = parse(found.document)
    context = {
        "rule": found, "said": said, "taxes": [(tax, percent(tax)) for tax in said.taxes], "expense": decimal(said.expense),
        "treaties": [
            (country, decimal(rate.rate), rate.local_included, found.document["treaties"][country].get("article", ""))
            for country, rate in sorted(said.treaties.items())
        ],
        "in_force": found.valid.lower <= timezone.localdate() and (found.valid.upper is None or timezone.localdate() < found.valid.upper),
        "document": json.dumps(found.document, ensure_ascii=False, indent=2),
    }  # fmt: skip
    return render(request, "royalties/payees/tax_rule.html", context)


def percent(tax: TaxTerm) -> str:
    return decimal(tax.rate)


def decimal(rate: Fraction) -> str:
    """A part as percent in digits: 3/100 → 3."""
    millionths = round(rate * 100_000_000)
    return f"{millionths // 1_000_000}.{millionths % 1_000_000:06}".rstrip("0").rstrip(".")
