"""What people enter while rates are set: to publish a proposal, to comment on it, to moderate, answer and decide."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from accounts.organisations.models import Organisation
from licensing.tariffs.models import Comment
from licensing.tariffs.reading import MAX_BYTES
from licensing.tariffs.services.attaching import MOST_FILES
from licensing.tariffs.services.commenting import LONGEST
from licensing.tariffs.services.common import LONGEST_REASONS

A_DAY = datetime.timedelta(days=1)


def _day(label: Any, help_text: Any = "") -> forms.DateField:
    return forms.DateField(label=label, widget=forms.DateInput(attrs={"type": "date"}), help_text=help_text)


def _words(label: Any, rows: int, most: int, help_text: Any = "", *, required: bool = True) -> forms.CharField:
    area = forms.Textarea(attrs={"rows": rows})
    return forms.CharField(label=label, max_length=most, widget=area, help_text=help_text, required=required)


class PublishForm(forms.Form):
    """The proposal, to the public: to whom it is put, why, what it would change, and until when one may comment."""

    body = forms.ModelChoiceField(
        Organisation.objects.none(),
        label=_("Rate body"),
        empty_label=None,
        help_text=_("It publishes the comments and decides. You have no part in that."),
    )
    reasons = _words(
        _("Reasons"), 8, LONGEST_REASONS, _("Why these rates are right, in plain words. Everybody reads it.")
    )
    effect = _words(
        _("Predicted effect"),
        5,
        LONGEST_REASONS,
        _("What would change, and for whom: licensees by size, and creators."),
    )
    last_day = _day(_("Last day for comments"))
    decide_by = _day(_("Decision asked for by"))

    def __init__(self, data: Any = None) -> None:
        today, least = timezone.localdate(), settings.CONSULTATION_DAYS_LEAST
        closes = today + datetime.timedelta(days=max(least, 30))
        super().__init__(data, initial={"last_day": closes - A_DAY, "decide_by": closes + datetime.timedelta(days=60)})
        bodies = Organisation.objects.filter(kind=Organisation.Kind.RATE_BODY).order_by("name", "pk")
        self.fields["body"].queryset = bodies  # type: ignore[attr-defined]
        self.fields["last_day"].help_text = ngettext_lazy(
            "Comments are open from today, for at least %(count)d day.",
            "Comments are open from today, for at least %(count)d days.",
            least,
        ) % {"count": least}

    @property
    def terms(self) -> dict[str, Any]:
        """As the service takes them: `closes` is the first day on which nobody may comment any more."""
        data = {**self.cleaned_data}
        return data | {"closes": data.pop("last_day") + A_DAY}


class ExtendForm(forms.Form):
    last_day = _day(_("New last day for comments"), _("Later than now. The decision is due as many days later."))

    @property
    def closes(self) -> datetime.date:
        return self.cleaned_data["last_day"] + A_DAY


class WithdrawForm(forms.Form):
    reason = _words(
        _("Why you take it back"), 3, 2000, _("Everybody reads it. The proposal and its comments stay public.")
    )


class ManyFiles(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Several files under one name; what each may be, the service knows."""

    widget = ManyFiles

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        sent = data if isinstance(data, (list, tuple)) else [data]
        return [file for file in sent if file]


class CommentForm(forms.Form):
    """A comment and who makes it. Without an account an e-mail address confirms that."""

    text = _words(
        _("Your comment"), 10, LONGEST, _("What you think of the proposal, and why. It is shown as plain text.")
    )
    name = forms.CharField(
        label=_("Your name"), max_length=200, help_text=_("It stands above your comment, for all to see.")
    )
    standing = forms.ChoiceField(label=_("You speak as"), choices=Comment.Standing.choices)
    organisation = forms.CharField(
        label=_("For whom you speak"),
        max_length=200,
        required=False,
        help_text=_("The organisation or firm, if you speak for one. Shown beside your name."),
    )
    email = forms.EmailField(
        label=_("Your e-mail address"),
        max_length=254,
        help_text=_("Never shown. We send a link there: open it, or the comment does not count."),
    )
    attachments = FilesField(
        label=_("Files"),
        required=False,
        widget=ManyFiles(attrs={"multiple": True, "accept": ".pdf,.png,.jpg,.jpeg,.txt,.docx,.hwp"}),
    )
    homepage = forms.CharField(required=False, widget=forms.HiddenInput)  # filled in by programs only

    def __init__(self, *args: Any, signed_in: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        said = _(
            "At most %(most)s: PDF, PNG, JPG, TXT, DOCX or HWP, each up to 10 MB. They become public with the comment."
        )
        self.fields["attachments"].help_text = said % {"most": MOST_FILES}
        if signed_in:
            del self.fields["email"]


class AnswerForm(forms.Form):
    text = _words(_("Your answer"), 4, LONGEST)


class ModerateForm(forms.Form):
    """Publish (no ground), or withhold for one of the published grounds."""

    ground = forms.ChoiceField(
        label=_("If you do not publish it: on what ground"),
        choices=[("", _("none: publish it")), *Comment.Ground.choices],
        required=False,
    )


class DecideForm(forms.Form):
    """One of the decisions that are open now, with its reasons; to amend, the text as it shall be."""

    act = forms.ChoiceField(label=_("Decision"), widget=forms.RadioSelect)
    reasons = _words(_("Reasons"), 8, LONGEST_REASONS, _("Everybody reads them, beside the version."))
    document = forms.CharField(
        label=_("The text as it shall be"),
        required=False,
        max_length=MAX_BYTES,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 20, "class": "mono", "spellcheck": "false"}),
        help_text=_(
            "Only to approve with changes: change what shall differ. It gets the tariff's next number by itself."
        ),
    )

    def __init__(self, data: Any, *, acts: Sequence[tuple[str, Any]], text: dict[str, Any]) -> None:
        shown = json.dumps(text, ensure_ascii=False, indent=2)
        super().__init__(data, initial={"document": shown, "act": acts[0][0] if acts else ""})
        self.fields["act"].choices = acts  # type: ignore[attr-defined]
        if "amend" not in dict(acts):
            del self.fields["document"]
