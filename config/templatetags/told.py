"""What was stored, told to the reader: `{{ problem.detail|retold }}`, `{{ event.verb|happened }}`, `{{ name|fact }}`."""

from __future__ import annotations

from django import template

from config import happenings, retelling

register = template.Library()
register.filter("retold", retelling.retold)
register.filter("happened", happenings.label_of)
register.filter("fact", happenings.fact_label)
