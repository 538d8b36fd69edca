"""A work's other titles, and its merging with another: what a society says about one work under several names."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.identity.core import NotFound, Refusal
from accounts.identity.gate import ActorRequest, requires
from licensing.repertoire import services
from licensing.repertoire.models import Work


class AliasForm(forms.Form):
    title = forms.CharField(
        label=gettext_lazy("Other title"),
        max_length=1000,
        help_text=gettext_lazy("Of an edition or a translation, or in another script."),
    )
    creators = forms.CharField(
        label=gettext_lazy("Creators as named there"),
        max_length=2000,
        required=False,
        help_text=gettext_lazy("Only where they are written differently. Several with ; between."),
    )


class MergeForm(forms.Form):
    into = forms.CharField(
        label=gettext_lazy("The work that stays"),
        max_length=2100,
        help_text=gettext_lazy("Its reference, or an identifier such as isbn:9780306406157."),
    )
    reason = forms.CharField(label=gettext_lazy("Why they are one work"), max_length=1000, widget=forms.Textarea)


class UnmergeForm(forms.Form):
    reason = forms.CharField(label=gettext_lazy("Why they are not one work"), max_length=1000, widget=forms.Textarea)


@requires("works.import")
@require_http_methods(["GET", "POST"])
def work_names(request: ActorRequest, work_id: int) -> HttpResponse:
    """Other titles of a work, and the work that it is merged into."""
    work = Work.objects.visible_to(request.actor).select_related("society", "merged_into").filter(pk=work_id).first()
    if work is None:
        raise NotFound(_("There is no such work."))
    asked = request.POST.get("action", "")
    post = request.POST if request.method == "POST" else None
    alias_form = AliasForm(post if asked == "alias" else None)
    merge_form = MergeForm(post if asked == "merge" else None)
    unmerge_form = UnmergeForm(post if asked == "unmerge" else None)
    form = {"alias": alias_form, "merge": merge_form, "unmerge": unmerge_form}.get(asked)
    if post is not None and asked == "remove":
        found = work.aliases.select_related("society", "work").filter(pk=_number(request.POST.get("alias", ""))).first()
        if found is None:
            raise NotFound(_("There is no such title."))
        services.remove_alias(actor=request.actor, alias=found)
        messages.success(request, _("The title is removed."))
        return redirect("licensing:work_names", work.pk)
    if form is not None and form.is_valid():
        try:
            return _done(request, work, asked, form.cleaned_data)
        except Refusal as refusal:
            for error in refusal.errors:
                field = str(error.get("pointer", "")).lstrip("/")
                form.add_error(field if field in form.fields else None, str(error["detail"]))
    context = {
        "work": work,
        "aliases": list(work.aliases.order_by("title", "creators")),
        "merged_from": list(Work.objects.filter(merged_into=work).order_by("ref")[:100]),
        "alias_form": alias_form,
        "merge_form": merge_form,
        "unmerge_form": unmerge_form,
    }
    return render(request, "licensing/repertoire/work_names.html", context)


def _done(request: ActorRequest, work: Work, asked: str, said: dict[str, str]) -> HttpResponse:
    actor = request.actor
    if asked == "alias":
        services.add_alias(actor=actor, work=work, **said)
        messages.success(request, _("The title is on record."))
        return redirect("licensing:work_names", work.pk)
    if asked == "merge":
        into = services.named_work(society=work.society, text=said["into"])
        last = services.merge_works(actor=actor, work=work, into=into, reason=said["reason"])
        messages.success(request, _("From now on it means %(work)s.") % {"work": last.ref})
        return redirect("licensing:work", last.pk)
    services.unmerge_work(actor=actor, work=work, reason=said["reason"])
    messages.success(request, _("The work stands for itself again."))
    return redirect("licensing:work", work.pk)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
