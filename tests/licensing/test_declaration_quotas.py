"""What a licence may send: bytes of all its declarations, rows of one; said clearly, and never passed by two at once."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from django.test import Client

from accounts.access.services import issue_token
from accounts.evidence.models import Event
from accounts.identity.core import SYSTEM, Forbidden, NotFound, Refusal
from accounts.organisations.models import Organisation
from licensing.declarations import services
from licensing.declarations.models import Declaration, DeclarationFile, Quota
from licensing.declarations.services import drafting
from licensing.intake.models import StoredFile
from tests.licensing.declaring import ISBN, PERIOD, Firm, declare, firm, lines
from tests.licensing.parties import organisation, staff
from tests.together import meeting, together

BOOK = lines(f"isbn,{ISBN},1000")


def manager(of: Firm) -> Any:
    return staff(of.society, "licences.manage")


def allow(of: Firm, bytes: int = 10**9, rows: int = 10**9) -> None:
    services.set_quota(actor=manager(of), licence=of.licence, most_bytes=bytes, most_rows=rows)


def draft(of: Firm) -> Declaration:
    return services.start(actor=of.declarant, licence=of.licence, period=PERIOD, use="train", unit="token")


def attach(of: Firm, made: Declaration, data: bytes, name: str = "use.csv") -> DeclarationFile:
    return services.attach(actor=of.declarant, declaration=made, stream=io.BytesIO(data), name=name)


@pytest.fixture
def parties(db: Any) -> Firm:
    return firm()


def test_a_licence_that_has_sent_all_it_may_is_told_what_is_used_allowed_and_whom_to_ask(parties: Firm) -> None:
    allow(parties, bytes=len(BOOK) + 10)
    made = draft(parties)
    attach(parties, made, BOOK)
    with pytest.raises(Refusal) as refused:
        attach(parties, made, BOOK + b"isbn,x,1\n")
    said = str(refused.value.detail)
    assert refused.value.code == "quota_bytes"
    assert f"may take {len(BOOK) + 10} bytes in all; {len(BOOK)} are taken" in said
    assert parties.society.name in said
    assert (made.files.count(), StoredFile.objects.count()) == (1, 1), "nothing of it was kept"


def test_bytes_that_the_licence_declared_before_count_once(parties: Firm) -> None:
    allow(parties, bytes=len(BOOK))
    first = declare(parties, BOOK, submit=True)
    amended = services.amend(actor=parties.declarant, declaration=first)
    drafting.attach_stored(actor=parties.declarant, declaration=amended, stored=first.files.get().file)
    assert services.allowance(parties.licence).used == len(BOOK)


def test_throwing_a_draft_away_makes_room(parties: Firm) -> None:
    allow(parties, bytes=len(BOOK) + 5)
    made = draft(parties)
    attach(parties, made, BOOK)
    services.process(made.pk)
    services.discard(actor=parties.declarant, declaration=made)
    attach(parties, draft(parties), BOOK + b"\n")


@pytest.mark.parametrize("files", [1, 2])
def test_a_declaration_with_too_many_rows_fails_and_says_so(parties: Firm, files: int) -> None:
    allow(parties, rows=3)
    rows = [f"isbn,{ISBN},{n}" for n in range(1, 5)]
    made = draft(parties)
    for n in range(files):
        attach(parties, made, lines(*rows[2 * n : 2 * n + 4 // files]), f"part-{n}.csv")
    services.process(made.pk)
    [problem] = [p for p in Declaration.objects.get(pk=made.pk).problems if p["code"] == "quota_rows"]
    assert "may have 3 rows" in problem["detail"] and f"ask {parties.society.name}" in problem["detail"]
    allow(parties, rows=4)
    services.resume(actor=parties.declarant, declaration=made)
    services.process(made.pk)
    assert Declaration.objects.get(pk=made.pk).lines["total"] == 4


def test_only_the_licensing_staff_of_the_society_set_a_quota_and_evidence_says_who(parties: Firm) -> None:
    for stranger, error in ((parties.declarant, Forbidden), (parties.reviewer, Forbidden)):
        with pytest.raises(error):
            services.set_quota(actor=stranger, licence=parties.licence, most_bytes=1, most_rows=1)
    other = staff(organisation("OTHER", "society"), "licences.manage")
    with pytest.raises(NotFound):
        services.set_quota(actor=other, licence=parties.licence, most_bytes=1, most_rows=1)
    for bad in (0, 2**51):
        with pytest.raises(Refusal, match="whole number from 1"):
            allow(parties, bytes=bad)
    allow(parties, bytes=5), allow(parties, bytes=5)
    services.forget_quota(actor=manager(parties), licence=parties.licence)
    assert not services.allowance(parties.licence).own and not Quota.objects.exists()
    told = Event.objects.about("licence", parties.licence.pk).order_by("id").values_list("verb", flat=True)
    assert [verb for verb in told if "quota" in verb] == ["licence.quota_set", "licence.quota_forgotten"]


def _token(of: Organisation, scopes: str) -> Client:
    _made, secret = issue_token(actor=SYSTEM, organisation=of, scopes=scopes, name="quota")
    return Client(headers={"authorization": f"Bearer {secret}"})


def test_both_parties_read_it_over_the_api_and_the_society_sets_it(parties: Firm) -> None:
    declare(parties, BOOK)
    address = f"/api/v1/licences/{parties.licence.ref}/quota/"
    firms, societys = _token(parties.licensee, "declarations.view"), _token(parties.society, "licences.manage")
    assert firms.get(address).json()["used_bytes"] == len(BOOK)
    wanted = {"most_bytes": 1000, "most_rows": 10}
    assert firms.put(address, wanted, content_type="application/json").status_code == 403
    told = societys.put(address, wanted, content_type="application/json").json()
    assert told == wanted | {"used_bytes": len(BOOK), "arriving_bytes": 0, "own": True}
    refused = societys.put(address, {"most_bytes": 0, "most_rows": 1}, content_type="application/json")
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, "/most_bytes")


def test_two_uploads_at_once_cannot_pass_it_together(committed_db: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    of = firm()
    allow(of, bytes=len(BOOK) * 3 // 2)
    drafts = [draft(of), draft(of)]
    meet, check = meeting(2, 0.5), drafting.quotas.check_room
    declarants = [of.declarant, of.declarant]

    def both_looked(*args: Any, **keys: Any) -> None:
        check(*args, **keys)
        if "adding" not in keys:
            meet()  # each has seen that there is room for itself

    monkeypatch.setattr(drafting.quotas, "check_room", both_looked)

    def send(n: int) -> Any:
        data = BOOK + b"\n" * n
        return services.attach(actor=declarants[n], declaration=drafts[n], stream=io.BytesIO(data), name="use.csv")

    done = together(lambda: send(0), lambda: send(1))
    assert sorted(type(each).__name__ for each in done) == ["DeclarationFile", "Refusal"]
    assert re.search("may take", str(next(each for each in done if isinstance(each, Refusal)).detail))
    assert services.allowance(of.licence).used <= len(BOOK) * 3 // 2
