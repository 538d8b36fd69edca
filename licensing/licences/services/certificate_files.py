"""A certificate in the forms in which it is had: PDF for people; JSON, JWS, ODRL and RSL for programs.

The JWS is as it was signed. The others say how the licence stands today, so that one that was suspended or ended permits
nothing in them.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import segno
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

import licensing.licences
from accounts.identity.core import NotFound
from accounts.identity.paper import pdf
from licensing.licences import odrl, wording
from licensing.licences.models import Certificate
from licensing.licences.services import certificates
from licensing.licences.services.documents import breakable, term_said
from licensing.signals import rsl

TEMPLATE: Final = Path(licensing.licences.__file__).with_name("certificate.typ")
VOCABULARY: Final = "vocabulary.jsonld"


@dataclass(frozen=True, slots=True)
class State:
    """What a certificate says, with the term and the state of its licence on a day."""

    certificate: Certificate
    said: dict[str, Any]
    standing: str
    day: datetime.date

    @property
    def address(self) -> str:
        return certificates.address(self.certificate.code)


def state_of(certificate: Certificate, today: datetime.date) -> State:
    """A licence that was amended or terminated has another term by now than was certified: the present one is said."""
    licence = certificate.licence
    said = certificates.payload_of(certificate) | {"term": term_said(licence.valid.lower, licence.valid.upper)}
    return State(certificate, said, certificates.standing(licence, today), today)


def written(state: State, name: str) -> tuple[bytes, str]:
    """One file and its media type. Raises NotFound for a name that there is not."""
    if name not in FILES:
        raise NotFound(_("There is no such file of a certificate."))
    return FILES[name](state)


def vocabulary() -> tuple[bytes, str]:
    """The words that our ODRL documents use beside ODRL's own."""
    return _json(odrl.vocabulary(_profile())), odrl.MEDIA_TYPE


def paper(certificate: Certificate, language: str) -> bytes:
    """The certificate as PDF: as it was issued, the same bytes whenever it is made."""
    said = certificates.payload_of(certificate)
    with override(language):
        data = _data(certificate, said, language)
    return pdf(TEMPLATE, data, timezone.localdate(certificate.issued_at))


def scope_said(said: dict[str, Any]) -> list[tuple[str, str]]:
    """What a certificate says is licensed, a line each, in the reader's language."""
    conditions = dict(wording.shown_conditions(said.get("conditions", {})))
    return [
        (_("Uses"), wording.codes(said["uses"])),
        (_("Kinds of work"), wording.codes(said["kinds"])),
        (_("Territory"), wording.places(said["territory"])),
        (_("Models"), wording.names(said["models"])),
        (_("Datasets"), wording.names(said["datasets"])),
        (_("First day"), wording.day(said["term"]["from"])),
        (_("Last day"), wording.last_day(said["term"]["to"])),
        *conditions.items(),
    ]


def _data(certificate: Certificate, said: dict[str, Any], language: str) -> dict[str, Any]:
    address = said["address"]
    parties = [
        (label, f"{wording.party(said[key])} ({said[key]['ref']}, {said[key]['country']})")
        for key, label in (("society", _("Licensed by")), ("licensee", _("Licensed to")))
    ]
    issued = [(_("Licence"), said["licence"]), (_("Issued"), wording.moment(certificate.issued_at))]
    return {
        "language": language,
        "title": _("Licence certificate"),
        "lead": _("Use of works by AI, licensed by a collecting society"),
        "society": wording.party(said["society"]),
        "code": certificate.code,
        "code_label": _("Verification code"),
        "address": address,
        "address_label": _("Whether it holds today is told here"),
        "qr": segno.make(address, error="m").svg_inline(border=0, scale=4),
        "rows": [[label, breakable(text)] for label, text in (*parties, *scope_said(said), *issued)],
        "closing": _(
            "This certificate says that the licence was granted. It may have been suspended or ended since: look its code "
            "up before you rely on it. It shows no prices; those are between the parties."
        ),
        "digest": f"SHA-256 {certificate.sha256}",
    }


def _jws(state: State) -> tuple[bytes, str]:
    return (state.certificate.jws + "\n").encode(), "application/jose"


def _status(state: State) -> tuple[bytes, str]:
    """The certificate's content and whether it holds, as plain JSON."""
    said = {
        "standing": state.standing,
        "valid": state.standing == "valid",
        "on": state.day.isoformat(),
        **state.said,
        "jws": f"{state.address}certificate.jws",
        "jws_payload_sha256": state.certificate.sha256,
    }
    return _json(said), "application/json"


def _odrl(state: State) -> tuple[bytes, str]:
    agreement = odrl.agreement(
        state.said,
        address=state.address,
        profile=_profile(),
        works=_works(state.said["society"]["ref"]),
        stands=state.standing in ("valid", "not_begun"),
    )
    return _json(agreement), odrl.MEDIA_TYPE


def _rsl(state: State) -> tuple[bytes, str]:
    granted = rsl.Granted(
        works=_works(state.said["society"]["ref"]),
        uses=frozenset(state.said["uses"]),
        territory=tuple(state.said["territory"]),
        confirmed_at=state.address,
        holder=state.said["society"]["name"],
        stands=state.standing == "valid",
    )
    return rsl.write_licence(granted), rsl.MEDIA_TYPE


FILES: Final[dict[str, Callable[[State], tuple[bytes, str]]]] = {
    "certificate.jws": _jws,
    "certificate.json": _status,
    "odrl.json": _odrl,
    "rsl.xml": _rsl,
}


def _profile() -> str:
    return f"{settings.SITE_URL.rstrip('/')}/certificates/{VOCABULARY}"


def _works(society: str) -> str:
    """The society's works: where its repertoire is looked up."""
    return f"{settings.SITE_URL.rstrip('/')}/search/?society={society}"


def _json(said: dict[str, Any]) -> bytes:
    return json.dumps(said, ensure_ascii=False, indent=2).encode() + b"\n"
