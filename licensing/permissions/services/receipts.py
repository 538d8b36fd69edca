"""Signed receipts: proof for anyone that an organisation asked about these works then, and was answered so.

A receipt is a JSON Web Signature (compact, EdDSA, typ `permission-receipt+jws`) over RFC 8785 JSON. It names what was
asked and answered by digests that anyone who holds the question and the answer can compute again; docs/permissions.md
defines them. It proves that this installation said so at that moment; it does not make a licence.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.utils.translation import gettext as _

from accounts.identity import keys
from accounts.identity.core import Actor, Refusal
from accounts.organisations.models import Organisation
from licensing.permissions.services.asking import Answer, Item

if TYPE_CHECKING:
    from licensing.permissions.services.checks import Question

TYPE: Final = "permission-receipt+jws"
MOST_BYTES: Final = 4_000_000  # of a receipt over ten thousand items, with room
_PARTS: Final = ("scheme", "value", "title", "creators")


def items_sha256(items: Iterable[Item]) -> str:
    """The digest of what was asked: RFC 8785 JSON of the items, each with those of its parts that are not empty.

    Their names and values are text alone, of which RFC 8785 is what the standard library writes.
    """
    said = [{part: text for part, text in zip(_PARTS, item, strict=True) if text} for item in items]
    return _sha256(json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")))


def answers_sha256(given: Iterable[Answer]) -> str:
    """The digest of what was answered: a line an item, of verdict, basis, society, work and missing ppm between tabs."""
    lines = (
        f"{verdict}\t{basis}\t{work.society if work else ''}\t{work.ref if work else ''}\t{missing}\n"
        for verdict, basis, work, missing, _reasons in given
    )
    return _sha256("".join(lines))


def said_of_items(
    question: Question, as_of: dt.datetime, items: Sequence[Item], given: Sequence[Answer]
) -> dict[str, Any]:
    """What evidence and receipt say of items that were asked about one by one."""
    verdicts = [answer.verdict for answer in given]
    return _said(question, as_of, len(items), Counter(verdicts)) | {
        "items_sha256": items_sha256(items),
        "answers_sha256": answers_sha256(given),
        "verdicts": verdicts,
        "licences": licences_of(given),
    }


def said_of_file(
    question: Question,
    as_of: dt.datetime,
    rows: int,
    counts: Mapping[str, int],
    *,
    file_sha256: str,
    result_sha256: str,
    licences: Sequence[str],
) -> dict[str, Any]:
    """What evidence and receipt say of a file: the digests are those of the two files' bytes."""
    return _said(question, as_of, rows, counts) | {
        "items_sha256": file_sha256,
        "answers_sha256": result_sha256,
        "of": "file",
        "licences": list(licences),
    }


def _said(question: Question, as_of: dt.datetime, items: int, counts: Mapping[str, int]) -> dict[str, Any]:
    on = question.on
    return {
        "as_of": as_of.isoformat(),
        "use": question.use,
        "on": on.isoformat() if on else None,
        "territory": question.territory,
        "model": question.model,
        "dataset": question.dataset,
        "items": items,
        "counts": dict(sorted(counts.items())),
        "of": "items",
    }


def licences_of(given: Iterable[Answer]) -> list[str]:
    """The licences on which licensed answers rest."""
    return sorted({reason.about for answer in given if answer.basis == "licence" for reason in answer.reasons})


def sign_answer(*, actor: Actor, said: Mapping[str, Any]) -> str:
    """A receipt of what was said, for the actor's organisation. Only where the evidence of it is written, too.

    One that was asked for with a test token says so: nobody takes it for a firm's question in earnest.
    """
    ref = Organisation.objects.filter(pk=actor.organisation_id or 0).values_list("ref", flat=True).first()
    payload = {"iss": settings.SITE_URL, "sub": ref or "", **said, "sandbox": True if actor.sandbox else None}
    return keys.sign({name: value for name, value in payload.items() if value not in (None, "")}, typ=TYPE)


@dataclass(frozen=True, slots=True)
class Proof:
    """A receipt whose signature fits, and whether the question and the answer at hand are those that it speaks of."""

    payload: Mapping[str, Any]
    asked: bool | None = None  # None: not compared
    answered: bool | None = None

    @property
    def holds(self) -> bool:
        return self.asked is not False and self.answered is not False


def verify(
    text: str | bytes, *, keys_of: dict[str, Any] | None = None, items: bytes | None = None, answer: bytes | None = None
) -> Proof:
    """Check a receipt (or an API answer that carries one) against our published keys, or those of a given JWK set.

    `items` is the question, `answer` the answer: JSON as sent and received, or the two files. Raises Refusal where the
    signature does not fit, or a file is no question or answer.
    """
    payload = keys.verify(_receipt_in(text), keys_of, typ=TYPE)
    of_file = payload.get("of") == "file"
    return Proof(
        payload,
        None
        if items is None
        else payload.get("items_sha256") == (_file_digest(items) if of_file else _asked_digest(items)),
        None
        if answer is None
        else payload.get("answers_sha256") == (_file_digest(answer) if of_file else _told_digest(answer)),
    )


def _receipt_in(text: str | bytes) -> str:
    try:
        said = (text.decode() if isinstance(text, bytes) else text).strip()
        if said.startswith("{"):
            said = json.loads(said)["receipt"]
    except (ValueError, KeyError, RecursionError) as error:
        raise Refusal("no_receipt", _("This is neither a receipt nor an answer that carries one.")) from error
    return said if isinstance(said, str) else ""


def _asked_digest(question: bytes) -> str:
    said = _json(question)
    items = said.get("items") if isinstance(said, dict) else said
    if not isinstance(items, list) or not all(_is_item(item) for item in items):
        raise Refusal("no_items", _("This is no list of items as they are asked about."), pointer="/items")
    return items_sha256(Item(**item) for item in items)


def _is_item(item: Any) -> bool:
    return isinstance(item, dict) and item.keys() <= {*_PARTS} and all(isinstance(text, str) for text in item.values())


def _told_digest(answer: bytes) -> str:
    said = _json(answer)
    results: Any = said.get("results") if isinstance(said, dict) else said
    try:
        lines = [
            (
                r["verdict"],
                r["basis"],
                *((r["work"]["society"], r["work"]["ref"]) if r["work"] else ("", "")),
                r["missing_ppm"],
            )
            for r in results
        ]
    except (TypeError, KeyError) as error:
        raise Refusal("no_answer", _("This is no answer as it was given."), pointer="/answer") from error
    return _sha256("".join("\t".join(map(str, line)) + "\n" for line in lines))


def _json(text: bytes) -> Any:
    try:
        return json.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise Refusal("not_json", _("The file is not JSON in UTF-8.")) from error


def for_evidence(said: Mapping[str, Any], receipt: str | None) -> dict[str, Any]:
    """The same for the event: counts in place of each verdict, and which receipt was given."""
    kept = {name: value for name, value in said.items() if name != "verdicts" and value not in (None, "")}
    kept["verdicts"] = kept.pop("counts")
    return kept | ({"receipt_sha256": _sha256(receipt)} if receipt else {})


def _sha256(text: str) -> str:
    return _file_digest(text.encode("utf-8", "surrogatepass"))


def _file_digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()
