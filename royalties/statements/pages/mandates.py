"""What a mandate earns, and what a use could earn before it is allowed; and the public page on joining a society."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.identity.core import Actor, NotFound
from accounts.identity.gate import ActorRequest, requires, signed_in
from accounts.organisations.models import Organisation
from licensing import terms
from licensing.compliance.models import Case
from licensing.permissions.models import Mandate, MandateTerms
from licensing.repertoire.models import Holder
from royalties.distribution.core import parse
from royalties.distribution.models import Rule
from royalties.statements.services import earnings

MOST_SOCIETIES: Final = 200


@signed_in
@require_GET
def mandate(request: ActorRequest, mandate_id: int) -> HttpResponse:
    """One mandate: what it brought, by whom and when, and how many works it lets be licensed. `?use=` for one of its uses."""
    actor = request.actor
    found = Mandate.objects.visible_to(actor).select_related("holder", "society").filter(pk=mandate_id).first()
    if found is None:
        raise NotFound(_("There is no such mandate."))
    asked = request.GET.get("use", "")
    uses = [asked] if asked in terms.USES and terms.covers(found.uses, asked) else found.uses
    context = _earnings(actor, found.holder, uses, kinds=found.kinds, valid=found.valid)
    signature = found.signatures.order_by("-pk").first()
    return render(request, "royalties/statements/mandate.html", context | {"mandate": found, "signature": signature})


@requires("statements.view")
@require_GET
def use(request: ActorRequest) -> HttpResponse:
    """One use (`?use=`) of a holder's works (`?holder=`), before or without a mandate."""
    actor = request.actor
    found = Holder.objects.visible_to(actor).select_related("society").order_by("name", "pk")
    asked = request.GET.get("holder", "")
    if asked:
        found = found.filter(pk=int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else 0)
    holder = found.first()
    code = request.GET.get("use", "train")
    if holder is None or code not in terms.USES:
        raise NotFound(_("There is nothing here that you may see."))
    context = _earnings(actor, holder, [code])
    return render(request, "royalties/statements/mandate.html", context | {"use": code})


def _earnings(
    actor: Actor, holder: Holder, uses: list[str], *, kinds: Any = (terms.ANY,), valid: Any = None
) -> dict[str, Any]:
    """A dozen queries at most, however many works and distributions."""
    may_see_money = actor.can("statements.view")
    earned = earnings.earned(holder, uses, kinds=kinds, valid=valid) if may_see_money else []
    works, incomplete = earnings.covered(holder, uses, timezone.localdate(), kinds=kinds)
    currency = earned[-1].currency if earned else "KRW"
    same = [each for each in earned if each.currency == currency]
    by_licensee: dict[Any, dict[str, Any]] = {}
    for each in earned:
        row = by_licensee.setdefault((each.licensee.pk, each.use, each.currency), {"first": each, "amount": 0})
        row["amount"] += each.amount
        row["last"] = each
    return {
        "holder": holder,
        "uses": uses,
        "may_see_money": may_see_money,
        "currency": currency,
        "total": sum(each.amount for each in same),
        "chart": [(each.month, str(each.licensee), each.amount) for each in same],
        "rows": sorted(by_licensee.values(), key=lambda row: -row["amount"]),
        "works": works,
        "incomplete": incomplete,
        "anyway": earnings.declared_anyway(holder, uses),
        "cases": Case.objects.filter(holder=holder).count() if actor.can("cases.view") else 0,
        "may_sign": actor.can("mandates.sign") and holder.pk in actor.holder_ids,
    }


@require_GET
def join(request: ActorRequest) -> HttpResponse:
    """The societies that can be joined: what they ask, what they keep, and how one leaves. For anybody."""
    today = timezone.localdate()
    societies = list(
        Organisation.objects.filter(kind=Organisation.Kind.SOCIETY).order_by("name", "pk")[:MOST_SOCIETIES]
    )
    held = MandateTerms.objects.filter(society__in=societies, valid_from__lte=today)
    newest = held.order_by("society_id", "-valid_from", "-version").distinct("society_id")
    by_society = {each.society_id: each for each in newest}
    rules = {
        rule.society_id: parse(rule.document) for rule in Rule.objects.in_force(today).filter(society__in=societies)
    }
    rows = [
        {
            "society": society,
            "terms": by_society.get(society.pk),
            "deductions": _deductions(rules[society.pk]) if society.pk in rules else None,
        }
        for society in societies
    ]
    return render(request, "royalties/statements/join.html", {"rows": rows})


def _deductions(rule: Any) -> list[tuple[str, str]]:
    """(name, percent) in the order in which they are taken, the reserve last."""
    found = [(deduction.name, _percent(deduction.percent)) for deduction in rule.deductions]
    return found + ([(_("reserve, paid out later"), _percent(rule.reserve))] if rule.reserve else [])


def _percent(millionths: int) -> str:
    whole, part = divmod(millionths, 1_000_000)
    return f"{whole}.{part:06}".rstrip("0").rstrip(".")
