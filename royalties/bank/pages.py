"""Pages of the bank: the society's accounts, what was imported and what not, exchange rates."""

from __future__ import annotations

import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import FileResponse, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access.paging import paginate
from accounts.identity.core import Forbidden, NotFound, Refusal
from accounts.identity.gate import ActorRequest, requires
from accounts.organisations.models import Organisation
from licensing.intake.core import write_rejects
from licensing.intake.services import path_of
from royalties.bank import services
from royalties.bank.forms import AccountForm, ColumnsForm, RateForm, StatementForm
from royalties.bank.models import BankAccount, ExchangeRate, StatementImport

_SHOWN_DAYS = 62


def society_only(request: ActorRequest) -> Organisation:
    if not request.actor.is_society:
        raise Forbidden(_("Only a society has bank accounts here."))
    return Organisation.objects.get(pk=request.actor.organisation_id or 0)


def tell(form: forms.Form, refusal: Refusal) -> None:
    """A refusal on the form, at its field where it names one. Absence and lack of rights stay what they are."""
    if isinstance(refusal, NotFound | Forbidden):
        raise refusal
    field = (refusal.pointer or "").lstrip("/")
    form.add_error(field if field in form.fields else None, str(refusal))


@requires("billing.view")
@require_http_methods(["GET", "POST"])
def accounts(request: ActorRequest) -> HttpResponse:
    """The accounts with what stands on them, and a new one."""
    society = society_only(request)
    form = AccountForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.open_account(actor=request.actor, society=society, **form.cleaned_data)
        except Refusal as refusal:
            tell(form, refusal)
        else:
            messages.success(request, _("The account is recorded. Import its first statement."))
            return redirect("royalties:bank_account", made.pk)
    today = timezone.localdate()
    found: list[Any] = list(BankAccount.objects.visible_to(request.actor).order_by("name", "pk"))
    for account in found:
        account.balance = services.balance_on(account, today)
        account.last = account.statements.order_by("-last_day", "-place").first()
    context = {"accounts": found, "form": form, "can_manage": request.actor.can("billing.manage")}
    return render(request, "royalties/bank/accounts.html", context)


@requires("billing.view")
@require_GET
def account(request: ActorRequest, bank_id: int) -> HttpResponse:
    """One account: its balance by day, its statements, and a place for the next file."""
    return _shown(request, _visible(request, bank_id), StatementForm())


@requires("billing.manage")
@require_POST
def statement_import(request: ActorRequest, bank_id: int) -> HttpResponse:
    """Read a file for this account; what came of it stands on a page of its own."""
    found = _visible(request, bank_id)
    form = StatementForm(request.POST, request.FILES)
    if not form.is_valid():
        return _shown(request, found, form)
    given, sent = form.cleaned_data, form.cleaned_data["file"]
    try:
        outcome = services.import_statement(
            actor=request.actor, account=found, stream=sent, name=sent.name or "", opening=given["opening"],
            closing=given["closing"], despite=given["despite"],
        )  # fmt: skip
    except Refusal as refusal:
        tell(form, refusal)
        return _shown(request, found, form)
    return redirect("royalties:bank_import", outcome.pk)


@requires("billing.view")
@require_GET
def import_result(request: ActorRequest, tried_id: int) -> HttpResponse:
    """What came of a file: entries, or why not, row by row."""
    tried = _tried(request, tried_id)
    context = {
        "tried": tried,
        "statements": tried.statements.order_by("first_day"),
        "problems": tried.problems[:100],
        "can_manage": request.actor.can("billing.manage"),
    }
    return render(request, "royalties/bank/import.html", context)


@requires("billing.view")
@require_GET
def import_problems(request: ActorRequest, tried_id: int) -> HttpResponse:
    """The rows that cannot be read, as CSV."""
    tried = _tried(request, tried_id)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="statement-{tried.pk}-problems.csv"'
    response.write("\ufeff")
    write_rejects(response, [{**problem, "reason": _(str(problem["reason"]))} for problem in tried.problems])  # type: ignore[arg-type]
    return response


@requires("billing.view")
@require_GET
def import_file(request: ActorRequest, tried_id: int) -> HttpResponseBase:
    """The file as it was received."""
    tried = _tried(request, tried_id)
    return FileResponse(path_of(tried.file).open("rb"), as_attachment=True, filename=tried.file.name)


@requires("billing.manage")
@require_http_methods(["GET", "POST"])
def columns(request: ActorRequest, bank_id: int) -> HttpResponse:
    """Which heading of this bank's CSV serves for what."""
    found = _visible(request, bank_id)
    form = ColumnsForm(request.POST or None, initial=found.columns)
    if request.method == "POST" and form.is_valid():
        try:
            services.save_columns(actor=request.actor, account=found, columns=form.cleaned_data)
        except Refusal as refusal:
            tell(form, refusal)
        else:
            messages.success(request, _("The headings are saved for the next file of this account."))
            return redirect("royalties:bank_account", found.pk)
    return render(request, "royalties/bank/columns.html", {"account": found, "form": form})


@requires("billing.view")
@require_http_methods(["GET", "POST"])
def rates(request: ActorRequest) -> HttpResponse:
    """Exchange rates with their days and sources, and a new one."""
    society = society_only(request)
    form = RateForm(request.POST or None, initial={"on": timezone.localdate()})
    if request.method == "POST" and form.is_valid():
        try:
            services.record_rate(actor=request.actor, society=society, **form.cleaned_data)
        except Refusal as refusal:
            tell(form, refusal)
        else:
            messages.success(request, _("The exchange rate is recorded."))
            return redirect("royalties:bank_rates")
    found = ExchangeRate.objects.filter(society=society).order_by("-on", "-pk")
    context = {"page": paginate(request, found), "form": form, "can_manage": request.actor.can("billing.manage")}
    return render(request, "royalties/bank/rates.html", context)


def _visible(request: ActorRequest, bank_id: int) -> BankAccount:
    society_only(request)
    found = BankAccount.objects.visible_to(request.actor).filter(pk=bank_id).select_related("society").first()
    if found is None:
        raise NotFound(_("There is no such bank account."))
    return found


def _tried(request: ActorRequest, tried_id: int) -> StatementImport:
    society_only(request)
    own = StatementImport.objects.filter(account__in=BankAccount.objects.visible_to(request.actor), pk=tried_id)
    found = own.select_related("account", "file").first()
    if found is None:
        raise NotFound(_("There is no such import."))
    return found


def _shown(request: ActorRequest, found: BankAccount, form: StatementForm) -> HttpResponse:
    last = found.statements.order_by("-last_day", "-place").first()
    until = last.last_day if last else timezone.localdate()
    context = {
        "account": found,
        "last": last,
        "days": services.balances(found, until - datetime.timedelta(days=_SHOWN_DAYS), until),
        "page": paginate(request, found.statements.order_by("-last_day", "-place"), size=20),
        "imports": StatementImport.objects.filter(account=found).select_related("file").order_by("-pk")[:10],
        "form": form,
        "can_manage": request.actor.can("billing.manage"),
    }
    return render(request, "royalties/bank/account.html", context)
