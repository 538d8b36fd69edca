"""What people enter about money that waits."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from royalties.outstanding.core import REASONS
from royalties.outstanding.labels import reason_label
from royalties.outstanding.models import Attempt, Tracing


def _day(label: Any, **options: Any) -> forms.DateField:
    return forms.DateField(label=label, widget=forms.DateInput(attrs={"type": "date"}), **options)


def _text(label: Any, most: int, **options: Any) -> forms.CharField:
    return forms.CharField(label=label, max_length=most, widget=forms.Textarea(attrs={"rows": 3}), **options)


class AttemptForm(forms.Form):
    about = forms.CharField(
        label=_("About whom or what"), max_length=2080,
        help_text=_("The reference of a member or work, or an identifier such as isbn:9788936434267."),
    )  # fmt: skip
    channel = forms.ChoiceField(label=_("How it was tried"), choices=Attempt.Channel.choices)
    result = forms.ChoiceField(label=_("What came of it"), choices=Attempt.Result.choices)
    made_on = _day(_("On"))
    tracing = forms.ModelChoiceField(label=_("Search"), queryset=Tracing.objects.none(), required=False)
    note = _text(_("Note"), 1000, required=False)

    def __init__(self, *args: Any, society_id: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["tracing"]
        field.queryset = Tracing.objects.filter(society_id=society_id, closed_on=None).order_by("-pk")


class TracingForm(forms.Form):
    title = forms.CharField(label=_("Name of the search"), max_length=200)
    plan = _text(_("What is done, and for whom"), 2000, required=False)
    begun_on = _day(_("From"))
    until = _day(_("Until"))


class CloseForm(forms.Form):
    finding = _text(_("What came of it"), 2000)


class ResolutionForm(forms.Form):
    currency = forms.ChoiceField(label=_("Currency"))
    reason = forms.ChoiceField(label=_("Only amounts that wait because"), required=False)
    expired_by = _day(_("Whose clock had run out on"))
    text = _text(_("What is resolved"), 4000, help_text=_("Everybody can read it."))
    ground = _text(_("Legal ground"), 1000, help_text=_("The law or the article of the terms, and who decided."))
    document = forms.FileField(label=_("The document"), help_text=_("One file of at most 20 MB."))

    def __init__(self, *args: Any, currencies: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen, reason = self.fields["currency"], self.fields["reason"]
        assert isinstance(chosen, forms.ChoiceField) and isinstance(reason, forms.ChoiceField)
        chosen.choices = [(code, code) for code in currencies]
        reason.choices = [("", _("for whatever reason")), *((code, reason_label(code)) for code in REASONS)]


class ReasonForm(forms.Form):
    reason = _text(_("Reason"), 2000, required=False)


class TermsForm(forms.Form):
    text = forms.CharField(
        label=_("The terms as JSON"),
        widget=forms.Textarea(attrs={"rows": 24, "class": "mono", "spellcheck": "false"}),
        max_length=100_000,
    )
