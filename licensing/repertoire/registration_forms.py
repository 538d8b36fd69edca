"""What a member enters to register a work, and what is answered to it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from licensing import labels, terms
from licensing.repertoire.models import Holder, Registration
from licensing.repertoire.services.registering import MOST_LINES, Named

LINES: Final = 2  # for others, beside one's own
_DAY = forms.DateInput(attrs={"type": "date"})


class RegistrationForm(forms.Form):
    holder = forms.ModelChoiceField(Holder.objects.none(), label=_("In whose name"), empty_label=None)
    title = forms.CharField(label=_("Title"), max_length=1000)
    kind = forms.ChoiceField(label=_("Kind"))
    creators = forms.CharField(
        label=_("Made by"), max_length=2000, required=False, help_text=_("Names as published, separated by semicolons.")
    )
    language = forms.CharField(label=_("Language"), max_length=16, required=False, help_text=_("Its code, such as ko."))
    published = forms.RegexField(
        r"^\d{4}(-\d{2}(-\d{2})?)?$",
        label=_("Published"),
        required=False,
        help_text=_("As 2026, 2026-01 or 2026-01-31."),
    )
    identifiers = forms.CharField(
        label=_("Numbers and addresses"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_(
            "They let the work be found where it is used. One a line, such as isbn:978-89-364-3426-7, iswc:T-034.524.680-1 "
            "or url:example.kr/poems."
        ),
    )
    valid_from = forms.DateField(
        label=_("Shares count from"), required=False, widget=_DAY, help_text=_("Empty: since the work was made.")
    )
    different = forms.BooleanField(label=_("It is another work than those shown"), required=False)
    unfound = forms.BooleanField(
        label=_("It is right: register the work all the same"),
        required=False,
        help_text=_(
            "Their shares stay unrecorded and the money for them waits. Whom you named by e-mail address gets a letter."
        ),
    )

    def __init__(self, *args: Any, holders: Iterable[Holder], registration: Registration | None = None, **kwargs: Any):
        if registration:
            kwargs["initial"] = {
                name: getattr(registration, name)
                for name in ("title", "kind", "creators", "language", "published", "valid_from")
            } | {"identifiers": "\n".join(f"{scheme}:{value}" for scheme, value in registration.identifiers)}
        super().__init__(*args, **kwargs)
        known = list(holders)
        self.fields["holder"].queryset = Holder.objects.filter(pk__in=[h.pk for h in known]).select_related("society")  # type: ignore[attr-defined]
        if len(known) == 1:
            self.fields["holder"].widget = forms.HiddenInput()
            self.fields["holder"].initial = known[0]
        if registration:
            self.fields["holder"].initial = registration.holder_id
        self.fields["kind"].choices = [(code, labels.label(code)) for code in terms.KINDS]  # type: ignore[attr-defined]
        self.fields["valid_from"].widget.attrs["max"] = "2999-12-31"

    @property
    def values(self) -> dict[str, Any]:
        names = ("title", "kind", "creators", "language", "published", "valid_from", "identifiers")
        return {name: self.cleaned_data[name] for name in names}

    def clean_identifiers(self) -> list[str]:
        return [line.strip() for line in self.cleaned_data["identifiers"].splitlines() if line.strip()]


class LineForm(forms.Form):
    """One share. The first line is one's own and names nobody."""

    who = forms.CharField(
        label=_("Whose share"),
        max_length=300,
        required=False,
        help_text=_(
            "Their member reference or e-mail address; or their IPI, or their name exactly as the society has it."
        ),
    )
    share = forms.CharField(label=_("Share"), max_length=40, required=False, help_text=_("As 1/3, 50% or 333333ppm."))
    role = forms.CharField(
        label=_("Role"), max_length=20, required=False, help_text=_("Such as author, composer, translator, publisher.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.prefix == "lines-0":
            self.fields["share"].required = True

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = self.cleaned_data
        if found.get("who") and not found.get("share"):
            self.add_error("share", _("Say how much."))
        if self.prefix == "lines-0" and found.get("who"):
            found["who"] = ""
        if self.prefix != "lines-0" and found.get("share") and not found.get("who"):
            self.add_error("who", _("Say whose share this is."))
        return found

    @property
    def line(self) -> Named | None:
        found = self.cleaned_data
        return Named(found.get("who", ""), found["share"], found.get("role", "")) if found.get("share") else None


def line_forms(data: Any, *, registration: Registration | None = None, more: bool = False) -> Any:
    """The lines as sent, with two empty ones more where that was asked for; else those of a registration; else new ones."""
    initial = [{"share": "100%"}] if registration is None else _initial(registration)
    if data is not None and more:
        data = data.copy()
        total = data.get("lines-TOTAL_FORMS", "")
        count = int(total) if total.isascii() and total.isdigit() and len(total) < 4 else 1
        data["lines-TOTAL_FORMS"] = str(min(MOST_LINES, count + LINES))
    lines = forms.formset_factory(LineForm, extra=LINES, max_num=MOST_LINES, absolute_max=MOST_LINES, min_num=0)
    # A line that stands as it was shown is a line, not an empty one.
    return lines(data, prefix="lines", initial=initial, form_kwargs={"empty_permitted": False})


def _initial(registration: Registration) -> list[dict[str, str]]:
    shares = list(registration.shares.select_related("holder").order_by("pk"))
    own = [share for share in shares if share.holder_id == registration.holder_id]
    others = [share for share in shares if share.holder_id != registration.holder_id]
    lines = [{"share": share.stated, "role": share.role} for share in own[:1]] or [{"share": ""}]
    return lines + [{"who": s.holder.ref, "share": s.stated, "role": s.role} for s in [*own[1:], *others]]


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))
