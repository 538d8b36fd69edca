"""The field's own words in templates: `{{ "train"|term }}`, `{{ licence.uses|terms }}`, `{{ "token"|unit }}`."""

from __future__ import annotations

from collections.abc import Iterable

from django import template

from licensing.labels import basis_label, label, role_label, unit_label

register = template.Library()


@register.filter
def term(code: str) -> str:
    """A use, a kind of work or a line's status in words: `"train"|term` → training; `*` → any."""
    return label(code)


@register.filter
def terms(codes: Iterable[str]) -> str:
    """Several of them: `licence.uses|terms` → training, grounding."""
    return ", ".join(label(code) for code in codes)


@register.filter
def unit(code: str) -> str:
    """A unit of measure, in the plural: `"token"|unit` → tokens."""
    return unit_label(code)


@register.filter
def basis(code: str) -> str:
    """What a licensed use rests on: `"free"|basis` → public domain."""
    return basis_label(code)


@register.filter
def role(code: str) -> str:
    """The role of a share: `"publisher"|role` → publisher; a role of the society's own stays as it is."""
    return role_label(code)
