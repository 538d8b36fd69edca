"""Where a signal speaks, in words: `{{ statement.location|place_said }}`."""

from __future__ import annotations

from django import template

from licensing.permissions import signal_words

register = template.Library()
register.filter("place_said", signal_words.place_said)
register.filter("source_said", signal_words.source_said)
