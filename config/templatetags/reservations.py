"""Reservations in templates: `{{ reservation|covered }}`, `{{ reservation.uses|uses_said }}`, `{{ "train"|use_name }}`."""

from __future__ import annotations

from django import template

from licensing.permissions import wording
from licensing.permissions.services import reservation_paper

register = template.Library()
register.filter("covered", wording.covered)
register.filter("covered_publicly", wording.covered_publicly)
register.filter("kind_said", wording.kind_said)
register.filter("claimant_said", wording.claimant_said)
register.filter("uses_said", wording.uses_said)
register.filter("use_name", wording.use_name)
register.filter("territory_said", wording.territory_said)
register.filter("exactly", reservation_paper.exact)
register.filter("reason_said", wording.reason_said)
register.filter("state_said", wording.state_said)
