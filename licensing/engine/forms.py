"""What an administrator says about where to compute."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from licensing.engine.models import EngineChoice


class EngineForm(forms.Form):
    engine = forms.ChoiceField(label=_("Where to compute"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        labels = dict(EngineChoice.Name.choices)
        installed = labels.get(settings.ENGINE, settings.ENGINE)
        own = _("As the installation does: {engine}").format(engine=installed)
        self.fields["engine"].choices = [("default", own), *EngineChoice.Name.choices]  # type: ignore[attr-defined]
