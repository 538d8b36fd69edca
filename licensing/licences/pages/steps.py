"""The steps in which a firm asks for a licence, and where each lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy

from licensing.licences.models import LicenceRequest

STEPS = (
    ("tariff", gettext_lazy("Tariff")),
    ("uses", gettext_lazy("What you will do")),
    ("term", gettext_lazy("Term and size")),
    ("figures", gettext_lazy("Expected use")),
    ("check", gettext_lazy("Check and send")),
)


@dataclass(frozen=True, slots=True)
class Step:
    """One step as the progress indicator shows it; `link` where one can go there."""

    name: str
    label: Any
    state: str
    link: str


def at_step(here: str, asked: LicenceRequest | None) -> list[Step]:
    """All steps, as they stand where one is at this one."""
    names = [name for name, _label in STEPS]
    at = names.index(here)

    def state(n: int) -> str:
        return "current" if n == at else "done" if n < at else "todo"

    return [
        Step(name, label, state(n), address(name, asked) if asked and n not in (0, at) else "")
        for n, (name, label) in enumerate(STEPS)
    ]


def address(step: str, asked: LicenceRequest) -> str:
    return reverse(f"licensing:licence_request_{step}", args=[asked.pk])


def number_of(step: str) -> int:
    """Which of the steps this is, from 1."""
    return [name for name, _label in STEPS].index(step) + 1


def back_from(step: str, asked: LicenceRequest) -> str:
    """Where the step before lies; nowhere before the tariff was chosen."""
    before = STEPS[number_of(step) - 2][0]
    return address(before, asked) if before != "tariff" else ""
