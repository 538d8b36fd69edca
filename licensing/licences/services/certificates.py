"""Certificates: anyone can see that a licence exists and whether it holds, and nobody what it costs.

A certificate is a JSON Web Signature (compact, EdDSA, typ `licence-certificate+jws`) over RFC 8785 JSON by the keys that
sign receipts of permission. It says who licensed whom for which uses, kinds, territory, models, datasets and term, and the
conditions on copies; no amounts, tier, quantities, nor anything from which they could be worked out. It speaks of the moment
of its issue: whether the licence holds today is on the public page of its code.
"""

from __future__ import annotations

import datetime
import re
import secrets
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity import keys
from accounts.identity.core import SYSTEM, Actor, NotFound, Reference, Refusal
from licensing.licences.models import Certificate, Licence
from licensing.licences.services.documents import digest, said_of, term_said

TYPE: Final = "licence-certificate+jws"
LETTERS: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # none that is taken for another: no 0 O, 1 I L, U V
CODE: Final = re.compile(f"(?:[{LETTERS}]{{4}}-){{3}}[{LETTERS}]{{4}}")
SHOWN: Final = ("retention_days", "output_limit", "sublicensing", "deletion_days")  # conditions without a price


@transaction.atomic
def issue(*, licence: Licence, actor: Actor = SYSTEM) -> Certificate:
    """The licence's certificate, made if it has none. One that licenses nothing yet gets none."""
    locked = Licence.objects.select_for_update(of=("self",)).select_related("society", "licensee").get(pk=licence.pk)
    held = Certificate.objects.filter(licence=locked).first()
    if held is not None:
        return held
    if locked.status == Licence.Status.DRAFT:
        raise Refusal("licence_is_a_draft", _("A draft has no certificate. Activate the licence first."))
    now = timezone.now()
    code = new_code()
    payload = _said(locked, code, now)
    certificate = Certificate.objects.create(
        licence=locked, code=code, jws=keys.sign(payload, typ=TYPE), sha256=digest(payload), issued_at=now
    )
    record(
        actor=actor,
        verb="certificate.issued",
        object=Reference("licence", locked.pk),
        organisation_id=locked.society_id,
        data={"ref": locked.ref, "sha256": certificate.sha256},
    )
    return certificate


def new_code() -> str:
    """Sixteen letters in fours, which nobody guesses: 30^16 of them."""
    letters = "".join(secrets.choice(LETTERS) for _place in range(16))
    return "-".join(letters[start : start + 4] for start in range(0, 16, 4))


def written(text: str) -> str:
    """A code as somebody typed it, as it is kept; empty where it cannot be one.

    >>> written(" abcd efgh-jkmn2345 ")
    'ABCD-EFGH-JKMN-2345'
    """
    letters = re.sub(r"[\s\u2010-\u2015-]+", "", text[:60]).upper()
    code = "-".join(letters[start : start + 4] for start in range(0, len(letters), 4))
    return code if CODE.fullmatch(code) else ""


def find(code: str) -> Certificate:
    """The certificate of this code, for anybody. Raises NotFound."""
    found = Certificate.objects.select_related("licence__society", "licence__licensee").filter(
        code=written(code) or "–"
    )
    certificate = found.first()
    if certificate is None:
        raise NotFound(
            _("There is no certificate with this code. Check each letter; there is no zero and no letter O.")
        )
    return certificate


def standing(licence: Licence, today: datetime.date) -> str:
    """Whether it holds: `valid`, `suspended`, `ended`, or `not_begun`."""
    since, until = licence.valid.lower, licence.valid.upper
    if until is not None and until <= today:
        return "ended"
    if licence.status == Licence.Status.SUSPENDED:
        return "suspended"
    return "not_begun" if today < since or licence.status == Licence.Status.DRAFT else "valid"


def payload_of(certificate: Certificate) -> dict[str, Any]:
    """What the certificate says, its signature checked: by a key of ours, present or retired."""
    return keys.verify(certificate.jws, typ=TYPE)


def verify(text: str | bytes, keys_of: dict[str, Any] | None = None) -> dict[str, Any]:
    """What a certificate says, by our keys or those of a JWK set. Raises Refusal where it was not signed, or changed."""
    try:
        said = (text.decode("ascii") if isinstance(text, bytes) else text).strip()
    except UnicodeDecodeError as error:
        raise Refusal("no_certificate", _("This is no signed certificate.")) from error
    return keys.verify(said, keys_of, typ=TYPE)


def address(code: str, name: str = "") -> str:
    """The public address of a certificate, or of one of its files. It never changes."""
    return f"{settings.SITE_URL.rstrip('/')}/certificates/{code}/{name}"


def _said(licence: Licence, code: str, now: datetime.datetime) -> dict[str, Any]:
    conditions = {name: licence.conditions[name] for name in SHOWN if name in licence.conditions}
    return {
        "iss": settings.SITE_URL,
        "code": code,
        "address": address(code),
        "issued_at": timezone.localtime(now).isoformat(timespec="seconds"),
        "licence": licence.ref,
        "society": said_of(licence.society),
        "licensee": said_of(licence.licensee),
        "uses": list(licence.uses),
        "kinds": list(licence.kinds),
        "territory": list(licence.territory),
        "models": list(licence.ai_models),
        "datasets": list(licence.datasets),
        "term": term_said(licence.valid.lower, licence.valid.upper),
        **({"conditions": conditions} if conditions else {}),
    }
