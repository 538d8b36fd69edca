"""What people enter about declarations."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from accounts.identity.core import Actor
from licensing import labels, terms
from licensing.licences.models import Licence

LARGE = _("Leave it out where you have several files, a folder or very large ones: you send those on the next page.")
DAY = forms.DateInput(attrs={"type": "date"})


class FileForm(forms.Form):
    """One file of lines."""

    file = forms.FileField(
        label=_("File"),
        help_text=_(
            "CSV, TSV, JSON Lines or Parquet; .gz and .zst are unpacked. Columns: identifier_type, identifier, units."
        ),
    )


class DeclarationForm(FileForm):
    """A new declaration with its file."""

    field_order = ["licence", "first_day", "end", "use", "unit", "model", "dataset", "bases", "reference", "file"]

    licence = forms.ModelChoiceField(label=_("Licence"), queryset=Licence.objects.none())
    first_day = forms.DateField(label=_("First day of the period"), widget=DAY)
    end = forms.DateField(label=_("First day after the period"), widget=DAY)
    use = forms.ChoiceField(label=_("Use"), required=False, help_text=_("For lines that name none."))
    unit = forms.ChoiceField(label=_("Unit"), required=False, help_text=_("For lines that name none."))
    model = forms.CharField(label=_("Model"), max_length=200, required=False, help_text=_("That was trained or run."))
    dataset = forms.CharField(
        label=_("Dataset"), max_length=200, required=False, help_text=_("For lines that name none.")
    )
    bases = forms.CharField(
        label=_("Declared figures"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_(
            "What the tariff asks for, one a line: money such as revenue=412345679, in the smallest unit of the currency, "
            "or a number such as subscribers=12000."
        ),
    )
    reference = forms.CharField(label=_("Your reference"), max_length=100, required=False)

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["file"].required = False
        self.fields["file"].help_text = format_lazy("{} {}", self.fields["file"].help_text, LARGE)
        own = Licence.objects.filter(licensee_id=actor.organisation_id).exclude(status=Licence.Status.DRAFT)
        self.fields["licence"].queryset = own.select_related("society").order_by("ref")  # type: ignore[attr-defined]
        self.fields["licence"].label_from_instance = lambda found: f"{found.ref} · {found.society}"  # type: ignore[attr-defined]
        none = [("", _("each line names it"))]
        self.fields["use"].choices = none + [(code, labels.label(code)) for code in terms.USES]  # type: ignore[attr-defined]
        self.fields["unit"].choices = none + [(code, labels.unit_label(code)) for code in terms.UNITS]  # type: ignore[attr-defined]

    def clean_bases(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for line in filter(None, map(str.strip, self.cleaned_data["bases"].splitlines())):
            name, _equals, amount = (part.strip() for part in line.partition("="))
            if not name or not amount.isascii() or not amount.isdigit() or len(amount) > 15:
                raise forms.ValidationError(_("Write each base as name=amount, the amount in digits."))
            found[name] = int(amount)
        return found


class QuestionForm(forms.Form):
    """What the society asks the licensee."""

    detail = forms.CharField(label=_("Question"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))


class NilForm(forms.Form):
    """The word that nothing was used, confirmed by typing the licence's reference."""

    typed = forms.CharField(
        label=_("Reference of the licence, to confirm"),
        max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class WaiverForm(forms.Form):
    """Why the society does without a report."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The firm reads it, too."),
    )


class SampleForm(forms.Form):
    """How a sample for a field audit is drawn; `units` are those that the declaration has, with how many."""

    method = forms.ChoiceField(
        label=_("What has the same chance"),
        required=False,
        help_text=_(
            "Every row alike tells how many rows are wrong. By units, rows that count for more are looked at more "
            "often, and the estimate tells how much of the units is wrong."
        ),
    )
    confidence = forms.ChoiceField(
        label=_("Level of confidence"),
        choices=[("0.950", "95 %"), ("0.900", "90 %"), ("0.990", "99 %")],
        help_text=_("How sure the range of the estimate shall be."),
    )
    margin = forms.DecimalField(
        label=_("Margin, in per cent"),
        min_value=1,
        max_value=50,
        max_digits=4,
        decimal_places=1,
        initial=5,
        help_text=_("The estimate shall be this close; the number of rows follows from it."),
    )
    size = forms.IntegerField(
        label=_("Rows, or units, to draw"),
        min_value=1,
        required=False,
        help_text=_("Only where you want another number than follows from the margin."),
    )
    seed = forms.CharField(
        label=_("Seed"),
        max_length=64,
        required=False,
        help_text=_("Leave it empty and one is made up, so that nobody chose it. The same seed draws the same rows."),
    )

    def __init__(self, *args: Any, units: Mapping[str, Decimal], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        by_units = [
            (unit, _("every unit, of %(units)s %(unit)s") % {"units": f"{amount:,}", "unit": labels.unit_label(unit)})
            for unit, amount in units.items()
        ]
        self.fields["method"].choices = [("", _("every row")), *by_units]  # type: ignore[attr-defined]
