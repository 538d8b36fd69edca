"""What people ask about permission: a few works, a whole file, a receipt."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from licensing import labels, terms
from licensing.permissions.forms import DAY
from licensing.permissions.services import receipts


class QuestionForm(forms.Form):
    """What is asked about every work alike."""

    use = forms.ChoiceField(label=_("Use"))
    on = forms.DateField(label=_("On"), widget=DAY, required=False, help_text=_("Empty: now."))
    territory = forms.CharField(label=_("Territory"), max_length=2, initial="KR")
    model = forms.CharField(
        label=_("Model"),
        max_length=200,
        required=False,
        help_text=_("Where your licence names models. Else leave it empty."),
    )
    dataset = forms.CharField(
        label=_("Dataset"), max_length=200, required=False, help_text=_("Where your licence names datasets.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["use"].choices = [(code, labels.label(code)) for code in terms.USES]  # type: ignore[attr-defined]

    def asked(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in ("use", "on", "territory", "model", "dataset")}


class CheckForm(QuestionForm):
    """A few works to ask about: one identifier a line, as `scheme:value`."""

    items = forms.CharField(
        label=_("Works"),
        max_length=100_000,
        widget=forms.Textarea(attrs={"rows": 6, "placeholder": "isbn:9788936434267\ndomain:example.co.kr"}),
        help_text=_(
            "One a line, such as isbn:9788936434267 or domain:example.co.kr; a line without a scheme is a title."
        ),
    )


class BulkForm(QuestionForm):
    """A file to ask about."""

    file = forms.FileField(
        label=_("File"), allow_empty_file=True, help_text=_("CSV, TSV, JSON Lines or Parquet, also as .gz or .zst.")
    )


class ReceiptForm(forms.Form):
    """A receipt to look at, pasted or as a file, with what it should be about."""

    receipt = forms.CharField(
        label=_("Receipt"),
        required=False,
        max_length=receipts.MOST_BYTES,
        strip=True,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "autocomplete": "off"}),
        help_text=_("Paste it: three parts with two dots between them."),
    )
    file = forms.FileField(label=_("Or choose the receipt's file"), required=False, allow_empty_file=True)
    items = forms.FileField(
        label=_("The question that it is about"),
        required=False,
        allow_empty_file=True,
        help_text=_("The file that was sent, or the question as JSON."),
    )
    answer = forms.FileField(
        label=_("The answer that it is about"),
        required=False,
        allow_empty_file=True,
        help_text=_("The result file as it was downloaded (.csv.zst), or the answer as JSON."),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("receipt") and not data.get("file"):
            raise forms.ValidationError(_("Paste a receipt or choose its file."))
        sent = data.get("file")
        if sent is not None and sent.size > receipts.MOST_BYTES:
            self.add_error("file", _("This file is too large for a receipt."))
        return data
