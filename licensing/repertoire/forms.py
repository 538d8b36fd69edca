"""What people enter about members, works and shares."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from licensing import labels, terms
from licensing.repertoire.importing.holders import TAX_STATUSES
from licensing.repertoire.models import Holder, Share, Work
from licensing.repertoire.services import ShareLine

_DAY = forms.DateInput(attrs={"type": "date"})


def _short(size: int) -> forms.TextInput:
    return forms.TextInput(attrs={"size": size})


_TAX = {
    "kr_business": _("business income, resident in Korea"),
    "kr_other": _("other income, resident in Korea"),
    "kr_organisation": _("organisation in Korea"),
    "non_resident": _("not resident in Korea"),
    "exempt": _("exempt"),
}
assert tuple(_TAX) == TAX_STATUSES
LINES = 4  # empty lines offered below the shares on record


class HolderForm(forms.Form):
    ref = forms.CharField(label=_("Reference"), max_length=64, help_text=_("Your own number of this member. It stays."))
    name = forms.CharField(label=_("Name"), max_length=300)
    name_ko = forms.CharField(label=_("Name in Korean"), max_length=300, required=False)
    kind = forms.ChoiceField(label=_("Kind"), choices=Holder.Kind.choices)
    ipi = forms.CharField(label=_("IPI name number"), max_length=20, required=False)
    isni = forms.CharField(label=_("ISNI"), max_length=30, required=False)
    email = forms.EmailField(label=_("E-mail"), required=False)
    country = forms.CharField(label=_("Country"), max_length=2, required=False, help_text=_("Two letters, such as KR."))
    tax_status = forms.ChoiceField(label=_("Tax status"), required=False, choices=[("", _("not known")), *_TAX.items()])

    def __init__(self, *args: Any, holder: Holder | None = None, **kwargs: Any) -> None:
        if holder:
            kwargs["initial"] = {name: getattr(holder, name) for name in self.base_fields}
        super().__init__(*args, **kwargs)
        if holder:
            del self.fields["ref"]


class WorkForm(forms.Form):
    ref = forms.CharField(label=_("Reference"), max_length=64, help_text=_("Your own number of this work. It stays."))
    title = forms.CharField(label=_("Title"), max_length=1000)
    kind = forms.ChoiceField(label=_("Kind"))
    creators = forms.CharField(
        label=_("Creators"), max_length=2000, required=False, help_text=_("With a semicolon between them.")
    )
    identifiers = forms.CharField(
        label=_("Identifiers"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("One a line, as scheme:value, such as isbn:978-89-1234-567-8 or domain:example.com."),
    )
    language = forms.CharField(label=_("Language"), max_length=16, required=False, help_text=_("Its code, such as ko."))
    published = forms.RegexField(
        r"^\d{4}(-\d{2}(-\d{2})?)?$",
        label=_("Published"),
        required=False,
        help_text=_("As 2026, 2026-01 or 2026-01-31."),
    )
    protected_until = forms.DateField(
        label=_("First day out of protection"), required=False, widget=_DAY, help_text=_("Empty: not known.")
    )

    def __init__(self, *args: Any, work: Work | None = None, **kwargs: Any) -> None:
        if work:
            kwargs["initial"] = {name: getattr(work, name) for name in self.base_fields if name != "identifiers"}
            kwargs["initial"]["identifiers"] = "\n".join(sorted(map(str, work.identifiers.all())))
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [(code, labels.label(code)) for code in terms.KINDS]  # type: ignore[attr-defined]
        if work:
            del self.fields["ref"]

    def clean_identifiers(self) -> list[str]:
        return [line.strip() for line in self.cleaned_data["identifiers"].splitlines() if line.strip()]


class ShareForm(forms.Form):
    """One line of a work's shares; a line left empty is no share."""

    holder_ref = forms.CharField(label=_("Member"), max_length=64, required=False, widget=_short(14))
    role = forms.CharField(label=_("Role"), max_length=20, required=False, widget=_short(12))
    share = forms.CharField(label=_("Share"), max_length=40, required=False, widget=_short(10))
    since = forms.DateField(label=_("From"), required=False, widget=_DAY)
    until = forms.DateField(label=_("First day after"), required=False, widget=_DAY)

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = self.cleaned_data
        if bool(found.get("holder_ref")) != bool(found.get("share")):
            raise ValidationError(_("A line needs both a member and a share, or neither."))
        return found

    @property
    def line(self) -> ShareLine | None:
        found = self.cleaned_data
        if not found.get("holder_ref"):
            return None
        return ShareLine(found["holder_ref"], found["share"], found["role"], found["since"], found["until"])


ShareFormSet = forms.formset_factory(ShareForm, extra=LINES, max_num=1000, absolute_max=1100)


def share_lines(shares: list[Share]) -> list[dict[str, Any]]:
    """The shares on record, as a form shows them."""
    return [
        {
            "holder_ref": share.holder.ref,
            "role": share.role,
            "share": share.stated or f"{share.ppm}ppm",
            "since": _day(share.valid.lower),
            "until": _day(share.valid.upper),
        }
        for share in shares
    ]


def _day(day: dt.date | None) -> str:
    return day.isoformat() if day else ""
