"""Sites of holders: put on record, proved, and read when they are due."""

from __future__ import annotations

import datetime as dt
import re
import secrets
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import SYSTEM, Actor, Conflict, Forbidden, NotFound, Reference, Refusal
from licensing.permissions.models import Site
from licensing.permissions.services import fetching, found
from licensing.repertoire.identifiers import BadIdentifier
from licensing.repertoire.identifiers.web import domain, url
from licensing.repertoire.models import Holder

EVERY: Final = dt.timedelta(days=1)
FIRST_WAIT, LONGEST_WAIT = dt.timedelta(hours=1), dt.timedelta(days=7)  # after readings that failed
LEASE: Final = dt.timedelta(minutes=10)  # longer than one reading may take; then another worker may begin
REST: Final = dt.timedelta(minutes=1)  # between readings that people ask for
MOST_DUE: Final = 500  # handed out at once


@transaction.atomic
def register(*, actor: Actor, holder: Holder, host: str) -> Site:
    """Put a host of a holder on record; its proof is looked for, and its signals read, from now on.

    The same host again gives the site that is on record.
    """
    _check(actor, holder)
    name = host_of(host)
    site, new = Site.objects.get_or_create(
        society_id=holder.society_id,
        holder=holder,
        host=name,
        defaults={"token": secrets.token_urlsafe(24), "next_fetch_at": timezone.now()},
    )
    if new:
        _note(actor, "registered", site)
    return site


def host_of(text: str) -> str:
    """The host that a person means, in lower-case punycode: `https://Example.com/` → `example.com`.

    Raises Refusal for an address of numbers, a public suffix, a port or a path.
    """
    try:
        place = url(text.strip())
        name = domain(place.partition("/")[0].partition(":")[0])
    except BadIdentifier as bad:
        raise Refusal(
            "bad_host", _("This is no host: %(reason)s.") % {"reason": _(bad.reason)}, pointer="/host"
        ) from bad
    last = name.rpartition(".")[2]
    if not (last.isalpha() or re.fullmatch(r"xn--[a-z0-9-]+", last)):
        raise Refusal("bad_host", _("Give a name such as example.com, not an address of numbers."), pointer="/host")
    if place != f"{name}/":
        raise Refusal(
            "bad_host", _("Give the host alone, without a path or port: %(name)s.") % {"name": name}, pointer="/host"
        )
    return name


def find_site(*, actor: Actor, site_id: int) -> Site:
    """A site that the actor may see, or NotFound."""
    site = Site.objects.visible_to(actor).select_related("holder", "society").filter(pk=site_id).first()
    if site is None:
        raise NotFound(_("There is no such site."))
    return site


@transaction.atomic
def mark_proved(*, actor: Actor, site: Site) -> Site:
    """Staff have checked by other means that the host is the holder's. Conflict where another has proved it."""
    _check_staff(actor, site)
    if site.proved_at is None:
        _prove(actor, site, Site.Proof.STAFF)
        found.settle(site)
    return site


@transaction.atomic
def take_back_proof(*, actor: Actor, site: Site) -> Site:
    """Staff have seen that the host is not the holder's (any more): what its signals reserved is withdrawn.

    The token is another one from now on, so that the old file proves nothing.
    """
    _check_staff(actor, site)
    changed = Site.objects.filter(pk=site.pk, proved_at__isnull=False).update(
        proof=Site.Proof.NONE, proved_at=None, token=secrets.token_urlsafe(24)
    )
    if changed:
        site.refresh_from_db()
        _note(actor, "proof_taken_back", site)
        found.settle(site)
    return site


@transaction.atomic
def ask_to_read(*, actor: Actor, site: Site) -> Site:
    """Have a site read now. One that is being read, or is about to be, stays as it is; one just read is a Conflict."""
    _check(actor, site.holder)
    now = timezone.now()
    if site.fetched_at and site.fetched_at > now - REST:
        raise Conflict("read_just_now", _("This site was read less than a minute ago. Try again in a minute."))
    # What lies within the lease is being read, or will be at once.
    Site.objects.filter(pk=site.pk, next_fetch_at__gt=now + LEASE).update(next_fetch_at=now)
    return site


def is_being_read(site: Site) -> bool:
    """Whether a reading is under way, or will be in a moment."""
    return site.next_fetch_at is not None and site.next_fetch_at <= timezone.now() + LEASE


def due() -> list[int]:
    """The sites whose time has come, the longest waiting first."""
    waiting = Site.objects.filter(next_fetch_at__lte=timezone.now()).order_by("next_fetch_at")
    return list(waiting.values_list("pk", flat=True)[:MOST_DUE])


def read(site_id: int) -> bool:
    """Look for a site's proof and read its signals. False where it is not due, or another worker has it.

    Nothing is fetched inside a transaction; what was read is taken over in one.
    """
    lease = _claim(site_id)
    if lease is None:
        return False
    try:
        _read(site_id, lease)
    except Exception:
        later = timezone.now() + FIRST_WAIT
        Site.objects.filter(pk=site_id, next_fetch_at=lease).update(next_fetch_at=later)
        raise
    return True


def _read(site_id: int, lease: dt.datetime) -> None:
    site = Site.objects.get(pk=site_id)
    reading = fetching.read_host(site.host, token="" if site.proved_at else site.token)
    with transaction.atomic():
        site = Site.objects.select_for_update(of=("self",)).select_related("holder", "society").get(pk=site_id)
        problems = [*reading.problems, *_proved_by_reading(site, reading)]
        problems += found.take(site, reading)
        found.settle(site)
        _finish(site, lease, _in_a_row(site.problems, problems), failed=reading.failed)


def _claim(site_id: int) -> dt.datetime | None:
    """Until when this worker alone reads the site; None where it is not due. Compare and set."""
    now = timezone.now()
    taken = Site.objects.filter(pk=site_id, next_fetch_at__lte=now).update(next_fetch_at=now + LEASE)
    return now + LEASE if taken == 1 else None


def _proved_by_reading(site: Site, reading: fetching.Reading) -> list[dict[str, Any]]:
    """Take over a proof that was found; where another holder has proved the host, the problem that staff see."""
    if not reading.proof or site.proved_at:
        return []
    try:
        with transaction.atomic():
            _prove(SYSTEM, site, Site.Proof(reading.proof))
    except Conflict as conflict:
        if not any(problem.get("code") == conflict.code for problem in site.problems):
            _note(SYSTEM, "disputed", site)
            found.tell_staff(site)
        return [{"url": "", "code": conflict.code, "detail": ""}]
    return []


def _prove(actor: Actor, site: Site, how: Site.Proof) -> None:
    now = timezone.now()
    try:
        with transaction.atomic():
            changed = Site.objects.filter(pk=site.pk, proved_at=None).update(proof=how, proved_at=now)
    except IntegrityError as error:
        if "site_is_proved_by_one_holder" not in str(error):
            raise
        detail = _("Another member of the society has proved this host. Ask the society to look into it.")
        raise Conflict("proved_by_another", detail) from error
    if changed:
        site.refresh_from_db(fields=["proof", "proved_at"])
        _note(actor, "proved", site, through=str(how.value))


def _in_a_row(before: list[dict[str, Any]], now: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each problem with the number of readings in a row that met it."""
    times = {_problem_key(problem): problem.get("times", 1) for problem in before}
    return [problem | {"times": times.get(_problem_key(problem), 0) + 1} for problem in now]


def _problem_key(problem: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(problem.get(part, "")) for part in ("url", "code", "source"))


def _finish(site: Site, lease: dt.datetime, problems: list[dict[str, Any]], *, failed: bool) -> None:
    now, wait = timezone.now(), EVERY
    if failed:
        times = max((problem["times"] for problem in problems if problem["code"] in fetching.TRANSIENT), default=1)
        wait = min(FIRST_WAIT * 2 ** min(times - 1, 10), LONGEST_WAIT)
    Site.objects.filter(pk=site.pk).update(fetched_at=now, problems=problems)
    Site.objects.filter(pk=site.pk, next_fetch_at=lease).update(next_fetch_at=now + wait)


def _check(actor: Actor, holder: Holder) -> None:
    if not Holder.objects.visible_to(actor).filter(pk=holder.pk).exists():
        raise NotFound(_("There is no such member."))
    actor.require("sites.manage")
    if actor.sandbox:
        raise Forbidden(_("A test token keeps no sites: what a site says counts for everybody."))


def _check_staff(actor: Actor, site: Site) -> None:
    _check(actor, site.holder)
    if not (actor.is_society or actor.is_system):
        raise Forbidden(_("Only the society checks by other means whose site this is."))


def _note(actor: Actor, what: str, site: Site, **data: Any) -> None:
    record(
        actor=actor,
        verb=f"site.{what}",
        object=Reference("site", site.pk),
        organisation_id=site.society_id,
        data={"host": site.host, "holder": site.holder.ref} | data,
    )
