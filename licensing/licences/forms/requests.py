"""What a firm enters when it asks for a licence, one form a step."""

from __future__ import annotations

import datetime
import re
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from licensing import labels, terms
from licensing.licences import quantities
from licensing.licences.models import LicenceRequest
from licensing.tariffs.core import Schedule

DAY: Final = {"type": "date"}
MOST_FILES: Final = 5
MOST_BYTES: Final = 10 * 1024 * 1024
ACCEPT: Final = ".pdf,.png,.jpg,.jpeg"

# What each use means, for people who have never read a tariff.
USES_SAID: Final = {
    "train": _("training: works teach a new model, whose weights keep what it learnt"),
    "finetune": _("fine-tuning: works change a model that exists, for a task or a style"),
    "ground": _("grounding: works are looked up and read by a model while it answers"),
    "evaluate": _("evaluation: works test how good a model is"),
    "index": _("indexing: works are searched, to point people to them"),
}


class _Lines(forms.CharField):
    """Several names, one a line."""

    widget = forms.Textarea(attrs={"rows": 2})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return (super().to_python(value) or "").splitlines()


class _Codes(forms.CharField):
    """Country codes, or `*`."""

    def prepare_value(self, value: Any) -> Any:
        return " ".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return [code for code in re.split(r"[\s,;]+", super().to_python(value) or "") if code]

    def run_validators(self, value: Any) -> None:
        super().run_validators(" ".join(value))


class UsesForm(forms.Form):
    """What will be done, with which works, where, by which models."""

    uses = forms.MultipleChoiceField(
        label=_("What will you do with the works?"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Only what you tick is licensed. These are the uses that this tariff prices."),
    )
    kinds = forms.MultipleChoiceField(
        label=_("Which kinds of work?"),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("None ticked: every kind that this tariff prices."),
    )
    territory = _Codes(
        label=_("Where?"), max_length=1000, help_text=_("Country codes such as KR JP, or * for the whole world.")
    )
    ai_models = _Lines(
        label=_("Which models?"),
        required=False,
        help_text=_("One a line. Empty: any model of yours."),
    )
    datasets = _Lines(label=_("Which datasets?"), required=False, help_text=_("One a line. Empty: any."))

    def __init__(self, *args: Any, schedule: Schedule, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["uses"].choices = [(code, USES_SAID[code]) for code in quantities.priced_uses(schedule)]  # type: ignore[attr-defined]
        self.fields["kinds"].choices = [(code, labels.label(code)) for code in quantities.priced_kinds(schedule)]  # type: ignore[attr-defined]

    def clean_kinds(self) -> list[str]:
        priced = [code for code, _label in self.fields["kinds"].choices]  # type: ignore[attr-defined]
        every = [terms.ANY] if len(priced) == len(terms.KINDS) else priced
        return self.cleaned_data["kinds"] or every


def uses_of(asked: LicenceRequest) -> dict[str, Any]:
    """What the form of the uses starts with."""
    any_use, any_kind = terms.ANY in asked.uses, terms.ANY in asked.kinds
    return {
        "uses": list(terms.USES) if any_use else asked.uses,
        "kinds": [] if any_kind else asked.kinds,
        "territory": asked.territory,
        "ai_models": asked.ai_models,
        "datasets": asked.datasets,
    }


class TermForm(forms.Form):
    """How long, and how large the firm is, with what shows it."""

    first_day = forms.DateField(label=_("First day"), widget=forms.DateInput(attrs=DAY))
    last_day = forms.DateField(
        label=_("Last day"), widget=forms.DateInput(attrs=DAY), help_text=_("The licence still holds on this day.")
    )
    tier = forms.ChoiceField(
        label=_("How large are you?"),
        required=False,
        help_text=_("The tariff has prices by the size of the licensee. The society checks it before it quotes."),
    )
    tier_evidence = forms.CharField(
        label=_("What shows your size?"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("For example the number of people you employ and your revenue of the last year."),
    )

    def __init__(self, *args: Any, schedule: Schedule, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tiers = quantities.tiers_of(schedule)
        if tiers:
            self.fields["tier"].choices = [("", _("none of these")), *((tier, tier) for tier in tiers)]  # type: ignore[attr-defined]
        else:
            del self.fields["tier"]
            self.fields["tier_evidence"].label = _("Anything about your firm that the society should know?")
            self.fields["tier_evidence"].help_text = ""

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        first, last = data.get("first_day"), data.get("last_day")
        if first and last and last < first:
            self.add_error("last_day", _("The last day comes before the first."))
        if last == datetime.date.max:
            self.add_error("last_day", _("Write a day that will come."))
        return data

    @property
    def asked(self) -> dict[str, Any]:
        """As the service takes it."""
        data = self.cleaned_data
        return {
            "term_from": data["first_day"],
            "term_to": data["last_day"] + datetime.timedelta(days=1),
            "tier": data.get("tier", ""),
            "tier_evidence": data["tier_evidence"],
        }


def term_of(asked: LicenceRequest) -> dict[str, Any]:
    """What the form of the term starts with."""
    until = asked.term.upper
    return {
        "first_day": asked.term.lower,
        "last_day": until and until - datetime.timedelta(days=1),
        "tier": asked.tier,
        "tier_evidence": asked.tier_evidence,
    }


class _ManyFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Several files at once; each of a type and size that the other party can open."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=_ManyFilesInput(attrs={"accept": ACCEPT}), **kwargs)

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        files = [super(FilesField, self).clean(each, initial) for each in data or []]
        for file in files:
            if file.size > MOST_BYTES:
                raise forms.ValidationError(_("“%(name)s” is larger than 10 MB."), params={"name": file.name[:80]})
            if not file.name.lower().endswith(tuple(ACCEPT.split(","))):
                raise forms.ValidationError(
                    _("“%(name)s” is no PDF, PNG or JPEG file."), params={"name": file.name[:80]}
                )
        return files


class FilesForm(forms.Form):
    """Papers that show what the firm says of itself."""

    papers = FilesField(
        label=_("Papers"), required=False, help_text=_("PDF, PNG or JPEG, at most 10 MB each, five altogether.")
    )


class MessageForm(forms.Form):
    """The last step: a word to the society."""

    message = forms.CharField(
        label=_("A word to the society"), required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 4})
    )


class ReasonForm(forms.Form):
    """Why a request is withdrawn or declined; the other side reads it."""

    reason = forms.CharField(label=_("Reason"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))
