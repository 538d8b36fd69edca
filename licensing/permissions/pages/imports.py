"""Pages of imports: send a file, watch it being read, see which rows were refused and why.

They lie here because mandates are imported like members, works and shares, and this is the slice that knows them all.
"""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import FileResponse, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access.paging import paginate
from accounts.identity.core import Actor, Forbidden, NotFound, Refusal
from accounts.identity.gate import ActorRequest, signed_in
from accounts.organisations.models import Organisation
from licensing.intake.core import write_rejects
from licensing.intake.models import Import
from licensing.intake.services import path_of
from licensing.permissions import tasks
from licensing.permissions.services.imports import PERMISSION, find_import, request_import

LABELS: Final = {
    Import.Kind.HOLDERS: gettext_lazy("Members"),
    Import.Kind.WORKS: gettext_lazy("Works"),
    Import.Kind.SHARES: gettext_lazy("Shares"),
    Import.Kind.MANDATES: gettext_lazy("Mandates"),
    Import.Kind.RESERVATIONS: gettext_lazy("Reservations"),
    Import.Kind.CWR: gettext_lazy("Musical works (CWR)"),
    Import.Kind.ONIX: gettext_lazy("Books (ONIX)"),
    Import.Kind.RENEWALS: gettext_lazy("Renewals of copyright"),
}
COLUMNS: Final = {
    Import.Kind.HOLDERS: "holder_ref, name · name_ko, kind, ipi, isni, email, country, tax_status",
    Import.Kind.WORKS: "work_ref, kind, title · creators, language, published, protected_until, identifiers",
    Import.Kind.SHARES: "work_ref, holder_ref, share · role, valid_from, valid_to",
    Import.Kind.MANDATES: "holder_ref, uses, valid_from · kinds, territory, valid_to",
    Import.Kind.RESERVATIONS: "target, uses · territory, from",
}
# Files that have no columns of ours: what they are.
FORMATS: Final = {
    Import.Kind.CWR: gettext_lazy("CWR 2.1 or 2.2, with NWR and REV. You get an acknowledgement to send back."),
    Import.Kind.ONIX: gettext_lazy(
        "ONIX 3 for books, with reference or short tags. Editions of one work become one work."
    ),
    Import.Kind.RENEWALS: gettext_lazy(
        "The Catalog of Copyright Entries as TSV: title, author, oreg, odat, claimants."
    ),
}
COUNTING: Final = {
    Import.Kind.CWR: gettext_lazy("A row is a line of the file."),
    Import.Kind.ONIX: gettext_lazy("A row is a product, counted from 1."),
}
SHOWN = 100  # rejects on the page; the file has all that are kept


class ImportForm(forms.Form):
    kind = forms.ChoiceField(label=gettext_lazy("What the file lists"), widget=forms.RadioSelect)
    file = forms.FileField(
        label=gettext_lazy("File"),
        allow_empty_file=True,
        help_text=gettext_lazy(
            "CSV, TSV, JSON Lines or Parquet; for the last kinds the format they name. Also as .gz or .zst."
        ),
    )

    def __init__(self, *args: Any, kinds: list[Import.Kind], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [(kind.value, LABELS[kind]) for kind in kinds]  # type: ignore[attr-defined]


@signed_in
@require_http_methods(["GET", "POST"])
def imports(request: ActorRequest) -> HttpResponse:
    """The society's imports, newest first, and the form for the next file."""
    actor = _of_a_society(request.actor)
    kinds = [kind for kind in Import.Kind if actor.can(PERMISSION[kind])]
    form = ImportForm(
        request.POST or None, request.FILES or None, kinds=kinds, initial={"kind": request.GET.get("kind")}
    )
    if request.method == "POST" and (made := _requested(actor, form)):
        transaction.on_commit(lambda: tasks.send(tasks.run_import, made.pk))
        messages.success(request, _("The file is kept as received."))
        return redirect("licensing:import", made.pk)
    context = {
        "form": form if kinds else None,
        "columns": [(LABELS[kind], COLUMNS[kind]) for kind in kinds if kind in COLUMNS],
        "formats": [(LABELS[kind], FORMATS[kind]) for kind in kinds if kind in FORMATS],
        "page": paginate(request, Import.objects.visible_to(actor).select_related("file").order_by("-id")),
        "labels": LABELS,
    }
    return render(request, "licensing/imports/list.html", context, status=_status(request, form))


def _requested(actor: Actor, form: ImportForm) -> Import | None:
    """The import asked for, or None with the errors in the form."""
    if not form.is_valid():
        return None
    society = get_object_or_404(Organisation, pk=actor.organisation_id)
    file = form.cleaned_data["file"]
    try:
        return request_import(
            actor=actor, society=society, kind=form.cleaned_data["kind"], stream=file, name=file.name or ""
        )
    except Forbidden:
        raise
    except Refusal as refusal:
        form.add_error("file", str(refusal))
        return None


def _status(request: ActorRequest, form: forms.Form) -> int:
    """422 lets htmx show the form again with its errors."""
    return 422 if form.errors and request.headers.get("HX-Request") else 200


@signed_in
@require_GET
def one_import(request: ActorRequest, import_id: int) -> HttpResponse:
    """What became of one file."""
    return render(request, "licensing/imports/detail.html", _shown(request.actor, import_id))


@signed_in
@require_GET
def progress(request: ActorRequest, import_id: int) -> HttpResponse:
    """The part of the page that asks for itself until the import has ended."""
    context = _shown(request.actor, import_id)
    response = render(request, "licensing/imports/progress.html", context)
    if context["ended"]:
        response["HX-Refresh"] = "true"
    return response


def _shown(actor: Actor, import_id: int) -> dict[str, Any]:
    found = find_import(actor=_of_a_society(actor), import_id=import_id)
    rejects = [reject | {"said": _(reject["reason"]) if reject["reason"] else ""} for reject in found.rejects[:SHOWN]]
    return {
        "import": found,
        "label": LABELS[Import.Kind(found.kind)],
        "ended": found.status in (Import.Status.DONE, Import.Status.FAILED),
        "rejects": rejects,
        "counting": COUNTING.get(Import.Kind(found.kind), _("The header is row 1.")),
        "more": len(found.rejects) - len(rejects),
    }


@signed_in
@require_GET
def rejects(request: ActorRequest, import_id: int) -> HttpResponse:
    """The refused rows as CSV, to be put right and sent again."""
    found = find_import(actor=_of_a_society(request.actor), import_id=import_id)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="import-{found.pk}-rejects.csv"'
    write_rejects(response, found.rejects)  # type: ignore[arg-type]
    return response


@signed_in
@require_GET
def answer(request: ActorRequest, import_id: int) -> HttpResponseBase:
    """The file that goes back to whoever sent the works."""
    found = find_import(actor=_of_a_society(request.actor), import_id=import_id)
    if found.answer is None:
        raise NotFound(_("There is no answer to this file."))
    return FileResponse(
        path_of(found.answer).open("rb"),
        as_attachment=True,
        filename=found.answer.name,
        content_type="text/plain; charset=utf-8",
    )


def _of_a_society(actor: Actor) -> Actor:
    if not actor.is_society:
        raise Forbidden(_("Only a society imports members, works, shares and mandates."))
    return actor
