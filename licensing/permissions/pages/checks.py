"""The pages that ask about a few works, about one work, and that look at a receipt; programs ask the API."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.identity.core import Forbidden, NotFound, Refusal
from accounts.identity.gate import ActorRequest, requires
from licensing import labels, terms
from licensing.permissions import core, services
from licensing.permissions.check_forms import CheckForm, ReceiptForm
from licensing.permissions.downloads import receipt_file
from licensing.permissions.services import receipts
from licensing.permissions.services.asking import Item, answers_by_use
from licensing.permissions.services.checks import Question
from licensing.repertoire.models import Work

MOST_LINES = 200


@requires("permissions.check")
@require_http_methods(["GET", "POST"])
def permission_check(request: ActorRequest) -> HttpResponse:
    """Ask about a few works by hand; programs ask the API."""
    form = CheckForm(request.POST or None)
    results: list[tuple[str, Item, Any]] = []
    receipt = None
    if request.method == "POST" and form.is_valid():
        lines = [line.strip() for line in form.cleaned_data["items"].splitlines() if line.strip()][:MOST_LINES]
        items = [_item(line) for line in lines]
        try:
            checked = services.check(actor=request.actor, items=items, receipt=True, **form.asked())
        except Forbidden:
            raise
        except Refusal as refusal:
            field = (refusal.pointer or "").lstrip("/")
            form.add_error(field if field in form.fields else None, str(refusal))
        else:
            results, receipt = list(zip(lines, items, checked.answers, strict=True)), checked.receipt
    return render(request, "licensing/permissions/check.html", {"form": form, "results": results, "receipt": receipt})


@requires("permissions.check")
@require_http_methods(["GET", "POST"])
def permission_item(request: ActorRequest) -> HttpResponse:
    """May we use this one work? Every use of it, today. A look leaves no trace; a receipt is given on asking (POST)."""
    said = request.POST.get("of", "") if request.method == "POST" else request.GET.get("of", "")
    item, territory = _item(said.strip()[:2100]), request.GET.get("territory", "KR")[:2]
    if not item.value:
        raise NotFound(_("Ask about an identifier, such as isbn:9788936434267."))
    if request.method == "POST":
        use = request.POST.get("use", "")
        checked = services.check(actor=request.actor, use=use, items=[item], territory=territory, receipt=True)
        return receipt_file(
            checked.receipt or "", f"receipt-{use}-{timezone.localtime(checked.as_of):%Y%m%d-%H%M%S}.jws"
        )
    question = Question("train", None, territory).checked()
    asked = core.Facts(use="", kind="", territory=question.territory, on=timezone.now())
    by_use = answers_by_use(actor=request.actor, asked=asked, uses=list(terms.USES), items=[item])
    given = {use: answer for use, [answer] in by_use.items()}
    found = next((answer.work for answer in given.values() if answer.work), None)
    context = {
        "of": f"{item.scheme}:{item.value}",
        "item": item,
        "territory": question.territory,
        "work": found,
        "own": found
        and request.actor.is_society
        and Work.objects.visible_to(request.actor).filter(pk=found.id).exists(),
        "answers": [(use, labels.label(use), answer) for use, answer in given.items()],
        "today": timezone.localdate(),
    }
    return render(request, "licensing/permissions/check_item.html", context)


@requires("permissions.check")
@require_POST
def receipt_download(request: ActorRequest) -> HttpResponse:
    """The receipt that a page has just shown, as a file. Only what we signed ourselves is handed out."""
    receipt = request.POST.get("receipt", "").strip()
    payload = receipts.verify(receipt).payload
    return receipt_file(receipt, f"receipt-{str(payload['as_of'])[:10]}.jws")


@require_http_methods(["GET", "POST"])
def receipt_verify(request: HttpRequest) -> HttpResponse:
    """For anyone: what a receipt says, and whether we signed it."""
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    form = ReceiptForm(*sent)
    proof, wrong = None, ""
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            proof = receipts.verify(
                data["receipt"] or data["file"].read(),
                items=data["items"].read() if data["items"] else None,
                answer=data["answer"].read() if data["answer"] else None,
            )
        except Refusal as refusal:
            wrong = str(refusal)
    context: dict[str, Any] = {"form": form, "wrong": wrong, "proof": proof}
    if proof is not None:
        context |= {"said": proof.payload, "counts": _counts(proof.payload)}
    return render(request, "licensing/permissions/check_receipt.html", context)


def _counts(payload: Any) -> list[tuple[str, str, int]]:
    counts = payload.get("counts", {})
    return [(code, labels.label(code), counts[code]) for code in terms.LINE_STATUSES if code in counts]


def _item(line: str) -> Item:
    scheme, colon, value = line.partition(":")
    if colon and scheme.strip().lower() in terms.SCHEMES:
        return Item(scheme=scheme.strip().lower(), value=value)
    return Item(title=line)
