"""What people enter about distribution: a period, a rule's document, a reason."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from royalties.distribution.core.rules import MAX_BYTES
from royalties.distribution.models import Rule


class StartForm(forms.Form):
    """A half-open period, and a currency where money waits in several."""

    start = forms.DateField(label=_("First day of use"), widget=forms.DateInput(attrs={"type": "date"}))
    end = forms.DateField(
        label=_("First day after"),
        help_text=_("Exclusive: 1 April for uses up to 31 March."),
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    currency = forms.CharField(
        label=_("Currency"), required=False, min_length=3, max_length=3, help_text=_("Only where several wait.")
    )


class RuleForm(forms.Form):
    """A rule's document, as a file or as text; a file goes before text."""

    file = forms.FileField(label=_("Document"), required=False, help_text=_("One version of the rule as JSON."))
    text = forms.CharField(
        label=_("Or paste the document"),
        required=False,
        max_length=MAX_BYTES,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 20, "class": "mono", "spellcheck": "false"}),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        file = data.get("file")
        data["document"] = file.read(MAX_BYTES + 1) if file else data.get("text", "")
        if not data["document"].strip():
            raise forms.ValidationError(_("Choose a file or paste a document."))
        return data


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )


class PreviewForm(forms.Form):
    """Two versions of the rule, and the money to compare them on."""

    one = forms.ModelChoiceField(Rule.objects.none(), label=_("One version"))
    other = forms.ModelChoiceField(Rule.objects.none(), label=_("The other version"))
    start = forms.DateField(label=_("First day of use"), widget=forms.DateInput(attrs={"type": "date"}))
    end = forms.DateField(label=_("First day after"), widget=forms.DateInput(attrs={"type": "date"}))
    currency = forms.RegexField("^[A-Za-z]{3}$", label=_("Currency"), initial="KRW")

    def __init__(self, *args: Any, rules: QuerySet[Rule], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("one", "other"):
            self.fields[name].queryset = rules  # type: ignore[attr-defined]
