"""What people enter to reserve: anybody on the public form, members for their own works, staff when they decide."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from typing import Any, Final

from django import forms
from django.utils import timezone
from django.utils.translation import get_language, gettext, override
from django.utils.translation import gettext_lazy as _

from accounts.identity.core import say
from accounts.organisations.models import Organisation
from licensing import terms
from licensing.matching.core import title_key
from licensing.permissions import wording
from licensing.permissions.core import places
from licensing.permissions.forms import DAY
from licensing.permissions.services.public_search import understood
from licensing.repertoire.identifiers import BadIdentifier
from licensing.repertoire.importing.holders import countries
from licensing.repertoire.models import Holder, Work

MOST_EVIDENCE: Final = 20_000
MOST_BYTES: Final = 1_000_000  # of a member's file
MOST_INDEXED: Final = 2048  # bytes: an index holds no more


class UsesForm(forms.Form):
    """Which uses, where and from when. All AI use is ticked, everywhere, at once."""

    uses = forms.MultipleChoiceField(
        label=_("Uses to reserve"),
        widget=forms.CheckboxSelectMultiple,
        initial=list(terms.USES),
        help_text=_("All AI use is ticked. Untick what you do not want to reserve."),
        error_messages={"required": _("Tick at least one use.")},
    )
    territory = forms.CharField(
        label=_("Only in these countries"),
        max_length=1000,
        required=False,
        help_text=_("Empty: everywhere. Else country codes, such as KR JP."),
    )
    effective_from = forms.DateField(
        label=_("From a later day"),
        widget=DAY,
        required=False,
        help_text=_("Empty: from the moment we receive it. A reservation never counts backwards."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["uses"].choices = [(code, wording.use_name(code)) for code in terms.USES]  # type: ignore[attr-defined]

    @property
    def meanings(self) -> list[tuple[str, str, str, bool]]:
        """(code, name, what it means, ticked) of each use."""
        ticked = self["uses"].value() or []
        return [(code, wording.use_name(code), str(wording.MEANINGS[code]), code in ticked) for code in terms.USES]

    def clean_territory(self) -> list[str]:
        codes = sorted({code.upper() for code in re.split(r"[\s,;]+", self.cleaned_data["territory"]) if code})
        if unknown := [code for code in codes if code != terms.ANY and code not in countries()]:
            raise forms.ValidationError(_("Unknown country: %(codes)s."), params={"codes": ", ".join(unknown)[:100]})
        return [terms.ANY] if not codes or terms.ANY in codes else codes

    def clean_effective_from(self) -> dt.datetime | None:
        """The first moment of that day in Seoul; today means now."""
        day = self.cleaned_data["effective_from"]
        today = timezone.localdate()
        if day and day < today:
            raise forms.ValidationError(_("This day is past. A reservation never counts backwards."))
        return timezone.make_aware(dt.datetime.combine(day, dt.time())) if day and day > today else None


class ReserveForm(UsesForm):
    """The public form: a work, a web address, an identifier or a title; uses; and who asks."""

    work = forms.IntegerField(required=False, widget=forms.HiddenInput, min_value=1, max_value=2**62)
    title = forms.CharField(
        label=_("Title of the work"),
        max_length=1000,
        required=False,
        help_text=_("As it was published. The public register shows it."),
    )
    creators = forms.CharField(
        label=_("Made by"), max_length=2000, required=False, help_text=_("Names as published, separated by semicolons.")
    )
    identifier = forms.CharField(
        label=_("Number or code of the work"),
        max_length=2048,
        required=False,
        help_text=_("If you know one: ISBN, ISRC, ISWC, DOI, ISCC and the like."),
    )
    address = forms.CharField(
        label=_("Web address"),
        max_length=2048,
        required=False,
        help_text=_("Everything at and below this address is reserved, such as example.kr or example.kr/poems."),
    )
    society = forms.ModelChoiceField(
        Organisation.objects.none(),
        label=_("Society that checks it"),
        required=False,
        empty_label=None,
        help_text=_("Choose the one for your field. It checks who you are; AI firms see the reservation everywhere."),
    )
    name = forms.CharField(label=_("Your name"), max_length=300)
    email = forms.EmailField(
        label=_("Your e-mail address"), max_length=254, help_text=_("We send a link there: follow it to confirm.")
    )
    role = forms.CharField(
        label=_("What you are to the work"),
        max_length=300,
        help_text=_("For example: author, heir, publisher, agent of the composer."),
    )
    evidence = forms.CharField(
        label=_("What helps to check this"),
        max_length=MOST_EVIDENCE,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("For example where it was published under your name. The society alone reads it."),
    )
    evidence_url = forms.URLField(
        label=_("A web page that shows it"), max_length=2048, required=False, assume_scheme="https"
    )
    homepage = forms.CharField(required=False, max_length=1000)  # a person leaves it empty: they do not see it

    def __init__(self, *args: Any, work: Work | None = None, societies: Iterable[Organisation] = (), **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.found = work
        for field in ("name", "email"):
            self.fields[field].widget.attrs["autocomplete"] = field
        known = list(societies)
        choice: Any = self.fields["society"]
        choice.queryset = Organisation.objects.filter(pk__in=[each.pk for each in known])
        choice.required = work is None
        if known and not self.initial.get("society"):
            self.initial["society"] = known[0].pk
        if work is not None:
            for field in ("title", "creators", "identifier", "address", "society"):
                del self.fields[field]
        elif len(known) == 1:
            choice.widget = forms.HiddenInput()

    def clean_identifier(self) -> tuple[str, str] | None:
        text = self.cleaned_data["identifier"].strip()
        if not text:
            return None
        spoken = understood(text)
        if spoken is None or spoken[0] in ("domain", "url"):
            raise forms.ValidationError(
                _("This is no ISBN, ISRC, ISWC, ISMN, ISSN, DOI or ISCC. Leave it empty if unsure.")
            )
        return spoken

    def clean_address(self) -> tuple[str, str] | None:
        text = self.cleaned_data["address"].strip()
        if not text:
            return None
        try:
            found = places.place_of(text)
        except BadIdentifier as error:
            raise forms.ValidationError(
                _("This web address cannot be reserved: %(reason)s."), params={"reason": say(error.reason)}
            ) from None
        _check_size(*found)
        return found

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if self.found is None and not self.errors:
            named = bool(cleaned.get("identifier")) or bool(str(cleaned.get("title", "")).strip())
            if cleaned.get("address") and cleaned.get("identifier"):
                self.add_error("address", _("Reserve the web address and the numbered work one after the other."))
            elif not cleaned.get("address") and not named:
                self.add_error("title", _("Say what you reserve: a title, a number or a web address."))
            elif not cleaned.get("address") and not cleaned.get("identifier"):
                _check_size(title_key(cleaned["title"], cleaned["creators"]))
        return cleaned

    @property
    def language(self) -> str:
        return "ko" if (get_language() or "").startswith("ko") else "en"


def _check_size(*texts: str) -> None:
    if any(len(text.encode()) > MOST_INDEXED for text in texts):
        raise forms.ValidationError(_("This is too long. Shorten it to what tells the work apart."))


class OwnForm(UsesForm):
    """A member reserves one work, or all works of a holder they act for."""

    holder = forms.ModelChoiceField(Holder.objects.none(), label=_("Whose works"), empty_label=None)

    def __init__(self, *args: Any, holders: Iterable[Holder], work: Work | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = list(holders)
        choice: Any = self.fields["holder"]
        choice.queryset = Holder.objects.filter(pk__in=[each.pk for each in known])
        if known:
            self.initial.setdefault("holder", known[0].pk)
        if work is not None or len(known) == 1:
            choice.widget = forms.HiddenInput()


class ListForm(forms.Form):
    """A member's list of what they reserve."""

    holder = forms.ModelChoiceField(Holder.objects.none(), label=_("Whose works"), empty_label=None)
    file = forms.FileField(label=_("File"), help_text=_("CSV or TSV, 1 MB at most."))

    def __init__(self, *args: Any, holders: Iterable[Holder], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = list(holders)
        choice: Any = self.fields["holder"]
        choice.queryset = Holder.objects.filter(pk__in=[each.pk for each in known]).select_related("society")
        if len(known) == 1:
            choice.widget = forms.HiddenInput()
        if known:
            self.initial.setdefault("holder", known[0].pk)

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MOST_BYTES:
            raise forms.ValidationError(_("This file is too large. Divide it, or send it to your society."))
        return file


class DecideForm(forms.Form):
    """The society accepts, or rejects with reasons that who asked will read."""

    reasons = forms.MultipleChoiceField(
        label=_("Reasons for a rejection"), widget=forms.CheckboxSelectMultiple, required=False
    )
    words = forms.CharField(
        label=_("In your own words"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Who asked reads this."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(code, _(text)) for code, text in wording.REASONS.items()]
        self.fields["reasons"].choices = choices  # type: ignore[attr-defined]

    def given(self, language: str) -> list[dict[str, str]]:
        """The reasons as they are kept: code, and the sentence that who asked will read; own words stand as “other”."""
        codes, words = self.cleaned_data["reasons"], self.cleaned_data["words"].strip()
        if words and "other" not in codes:
            codes = [*codes, "other"]
        with override(language):
            return [
                {"code": code, "detail": words if code == "other" and words else gettext(wording.REASONS[code])}
                for code in codes
            ]
