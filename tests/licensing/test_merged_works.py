"""One work under two numbers is made one, other titles are kept, and both can be taken back."""

from __future__ import annotations

from io import BytesIO

import pytest
from django.test import Client

from accounts.evidence.models import Event
from accounts.identity.core import SYSTEM, Conflict, Forbidden, NotFound, Refusal
from accounts.organisations.models import Organisation
from licensing.declarations.models import DeclaredUse
from licensing.intake.services import keep
from licensing.permissions import services as permissions
from licensing.permissions.services.finding import Item
from licensing.repertoire import services
from licensing.repertoire.models import Work, WorkAlias
from tests.accounts.people import person
from tests.licensing.declaring import ISBN, Firm, declare, firm, lines
from tests.licensing.parties import organisation, staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def parties() -> Firm:
    return firm()


def double(of: Organisation, ref: str = "DOUBLE") -> Work:
    return services.save_work(
        actor=SYSTEM, society=of, ref=ref, kind="book", title="Double", identifiers=[f"proprietary:{ref}"]
    )


def used(made) -> list[tuple[str, str]]:
    rows = DeclaredUse.objects.filter(declaration=made).select_related("work")
    return sorted((use.work.ref if use.work else use.value, use.status) for use in rows)


def test_what_names_a_merged_work_means_the_one_that_stays_until_it_is_taken_back(parties: Firm) -> None:
    other, book = double(parties.society), Work.objects.get(identifiers__value=ISBN)
    said = lines("proprietary,DOUBLE,1", f"isbn,{ISBN},2")
    before = used(declare(parties, said))
    assert before == sorted([(book.ref, "licensed"), ("DOUBLE", "unmandated")])
    services.merge_works(actor=SYSTEM, work=other, into=book, reason="One book, entered twice.")
    assert used(declare(parties, said + b"\n")) == [(book.ref, "licensed")]
    found = permissions.check(actor=parties.declarant, use="train", items=[Item("proprietary", "DOUBLE")]).answers[0]
    assert found.work is not None and found.work.ref == book.ref
    services.unmerge_work(actor=SYSTEM, work=other, reason="Two editions after all.")
    assert used(declare(parties, said + b"\n\n")) == before
    assert list(Event.objects.filter(verb__startswith="work.", verb__endswith="merged").values_list("verb", flat=True)) == [
        "work.merged", "work.unmerged",
    ]  # fmt: skip


def test_a_work_is_merged_once_within_its_society_with_a_reason_and_never_into_itself(parties: Firm) -> None:
    one, two = double(parties.society, "ONE"), double(parties.society, "TWO")
    stranger = double(organisation("OTHER", "society"))
    for wrong, into, reason in [(NotFound, stranger, "x"), (Conflict, one, "x"), (Refusal, two, " ")]:
        with pytest.raises(wrong):
            services.merge_works(actor=SYSTEM, work=one, into=into, reason=reason)
    with pytest.raises(Forbidden):
        services.merge_works(actor=staff(parties.society), work=one, into=two, reason="x")
    services.merge_works(actor=SYSTEM, work=one, into=two, reason="x")
    one.refresh_from_db()
    with pytest.raises(Conflict):
        services.merge_works(actor=SYSTEM, work=one, into=two, reason="x")
    with pytest.raises(Conflict):
        services.merge_works(actor=SYSTEM, work=two, into=one, reason="x")
    with pytest.raises(Conflict):
        services.unmerge_work(actor=SYSTEM, work=two, reason="x")


def test_a_works_file_states_other_titles(parties: Firm) -> None:
    def bring(*rows: str) -> tuple[int, int]:
        data = "\n".join(["work_ref,kind,title,creators,also_titles", *rows]).encode()
        stored = keep(actor=SYSTEM, stream=BytesIO(data), name="works.csv", organisation=parties.society)
        result = services.import_works(actor=SYSTEM, society=parties.society, file=stored)
        return result.updated, result.unchanged

    bring("T,book,War and peace,Leo Tolstoy,Война и мир;Krieg und Frieden")
    assert set(WorkAlias.objects.values_list("title", flat=True)) == {"Война и мир", "Krieg und Frieden"}
    assert bring("T,book,War and peace,Leo Tolstoy,Война и мир;Krieg und Frieden") == (0, 1)
    assert bring("T,book,War and peace,Leo Tolstoy,Krieg und Frieden; ;전쟁과 평화") == (1, 0)
    assert set(WorkAlias.objects.values_list("title", flat=True)) == {"전쟁과 평화", "Krieg und Frieden"}


def test_the_society_enters_titles_and_merges_on_the_page_of_names(parties: Firm) -> None:
    work, book = double(parties.society), Work.objects.get(identifiers__value=ISBN)
    client, page = Client(), f"/works/{work.pk}/names/"
    client.force_login(person(parties.society, "repertoire"))
    assert client.get(page).status_code == 200
    client.post(page, {"action": "alias", "title": "Zwilling", "creators": ""})
    alias = WorkAlias.objects.get()
    assert "Zwilling" in client.get(page).content.decode()
    client.post(page, {"action": "remove", "alias": alias.pk})
    assert not WorkAlias.objects.exists()
    answer = client.post(page, {"action": "merge", "into": "isbn:123", "reason": "x"})
    assert answer.status_code == 200 and Work.objects.filter(merged_into=None, pk=work.pk).exists()
    client.post(page, {"action": "merge", "into": f"isbn:{ISBN}", "reason": "Entered twice."})
    work.refresh_from_db()
    assert work.merged_into == book
    assert book.title in client.get(f"/works/{work.pk}/").content.decode()
    client.post(page, {"action": "unmerge", "reason": "No."})
    assert Work.objects.get(pk=work.pk).merged_into is None
    stranger = Client()
    stranger.force_login(person(organisation("OTHER", "society"), "repertoire"))
    assert stranger.get(page).status_code == 404
