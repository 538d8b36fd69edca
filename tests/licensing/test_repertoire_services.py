"""Holders, works and shares kept by hand: the rules of the imports, said at the field."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from accounts.evidence.models import Event
from accounts.identity.core import SYSTEM, Conflict, Forbidden, NotFound, Refusal
from accounts.identity.models import User
from accounts.organisations.models import Organisation
from licensing.repertoire import services
from licensing.repertoire.models import Identifier, Representation, Share, Work
from licensing.repertoire.services import ShareLine
from tests.licensing.parties import organisation, staff
from tests.licensing.repertoire_files import bring

pytestmark = pytest.mark.django_db


@pytest.fixture
def society() -> Organisation:
    society = organisation("KOLIT", "society")
    bring(society, "holders", "A,Ada", "B,Bo", "C,Cy")
    bring(society, "works", "W1,book,One,isbn:9780306406157", "W2,book,Two,")
    return society


def pointers(caught: pytest.ExceptionInfo[Refusal]) -> list[str]:
    return [error["pointer"] for error in caught.value.errors]


def test_a_holder_is_added_and_changed(society: Organisation) -> None:
    made = services.save_holder(actor=SYSTEM, society=society, ref="D", name=" Di ", ipi="14107338", country="kr")
    assert (made.name, made.ipi, made.country) == ("Di", "00014107338", "KR")
    services.save_holder(actor=SYSTEM, society=society, holder=made, name="Diana", email="d@example.com")
    made.refresh_from_db()
    assert (made.name, made.email, made.country) == ("Diana", "d@example.com", "KR")
    assert list(Event.objects.filter(verb__startswith="holder.").order_by("id").values_list("verb", flat=True)) == [
        "holder.added",
        "holder.changed",
    ]


def test_everything_wrong_with_a_holder_is_said_at_once(society: Organisation) -> None:
    with pytest.raises(Refusal) as caught:
        services.save_holder(
            actor=SYSTEM,
            society=society,
            ref="D",
            name="",
            ipi="1",
            country="XX",
            tax_status="x",
            email="x",
            kind="robot",
        )
    assert sorted(pointers(caught)) == ["/country", "/email", "/ipi", "/kind", "/name", "/tax_status"]
    with pytest.raises(Conflict):
        services.save_holder(actor=SYSTEM, society=society, ref="A", name="Other")
    with pytest.raises(Refusal, match="reference"):
        services.save_holder(actor=SYSTEM, society=society, ref=" ", name="Other")


def test_a_work_with_its_identifiers(society: Organisation) -> None:
    made = services.save_work(
        actor=SYSTEM, society=society, ref="W3", kind="web", title="Three", identifiers=["domain:Example.com", "url:a.kr/x"],
        protected_until=None,
    )  # fmt: skip
    assert sorted(map(str, made.identifiers.all())) == ["domain:example.com", "url:a.kr/x"]
    services.save_work(actor=SYSTEM, society=society, work=made, identifiers=["url:a.kr/x", "url:a.kr/y"], kind="web")
    assert sorted(map(str, made.identifiers.all())) == ["url:a.kr/x", "url:a.kr/y"]
    services.save_work(actor=SYSTEM, society=society, work=made, title="Tres")
    assert made.identifiers.count() == 2


def test_bad_and_taken_identifiers_change_nothing(society: Organisation) -> None:
    work = Work.objects.get(ref="W2")
    with pytest.raises(Conflict, match="W1"):
        services.save_work(actor=SYSTEM, society=society, work=work, title="X", identifiers=["isbn:0-306-40615-2"])
    with pytest.raises(Refusal) as caught:
        services.save_work(actor=SYSTEM, society=society, work=work, kind="poem", identifiers=["isbn:1", "x"])
    assert pointers(caught) == ["/kind", "/identifiers", "/identifiers"]
    work.refresh_from_db()
    assert work.title == "Two"
    assert not Identifier.objects.filter(work=work).exists()


def lines(*rows: tuple[Any, ...]) -> list[ShareLine]:
    return [ShareLine(*row) for row in rows]


def test_shares_are_set_as_a_whole(society: Organisation) -> None:
    work = Work.objects.get(ref="W1")
    set_shares = services.set_shares(actor=SYSTEM, work=work, lines=lines(("A", "1/3"), ("B", "1/3"), ("C", "1/3")))
    assert [(s.holder.ref, s.ppm) for s in set_shares] == [("A", 333_334), ("B", 333_333), ("C", 333_333)]
    Share.objects.filter(holder__ref="A").update(disputed=True)
    day = dt.date(2026, 1, 1)
    services.set_shares(
        actor=SYSTEM, work=work, lines=lines(("A", "50%"), ("B", "50%", "", None, day), ("C", "50%", "", day, None))
    )
    assert list(work.shares.order_by("holder__ref").values_list("holder__ref", "ppm", "disputed")) == [
        ("A", 500_000, True), ("B", 500_000, False), ("C", 500_000, False),
    ]  # fmt: skip
    services.set_shares(actor=SYSTEM, work=work, lines=[])
    assert not work.shares.exists()


def test_bad_lines_are_named_and_nothing_changes(society: Organisation) -> None:
    work = Work.objects.get(ref="W1")
    services.set_shares(actor=SYSTEM, work=work, lines=lines(("A", "1/2")))
    day = dt.date(2026, 1, 1)
    with pytest.raises(Refusal) as caught:
        services.set_shares(
            actor=SYSTEM, work=work, lines=lines(("A", "half"), ("Z", "1/2"), ("B", "1/2", "", day, day), ("C", "1/4"))
        )
    assert pointers(caught) == ["/shares/0", "/shares/1", "/shares/2"]
    with pytest.raises(Refusal) as caught:
        services.set_shares(actor=SYSTEM, work=work, lines=lines(("A", "1/2", "", day), ("A", "1/4"), ("A", "1/8")))
    assert pointers(caught) == ["/shares/2", "/shares/1"]
    assert [(s.holder.ref, s.stated) for s in work.shares.all()] == [("A", "1/2")]


def test_who_may(society: Organisation) -> None:
    work = Work.objects.get(ref="W1")
    holder = society_holder(society)
    stranger = staff(organisation("OTHER", "society"), "works.import", "members.manage")
    reader = staff(society, "declarations.view")
    user = User.objects.create(email="ada@example.com")
    for actor, refusal in ((stranger, NotFound), (reader, Forbidden)):
        with pytest.raises(refusal):
            services.save_holder(actor=actor, society=society, holder=holder, name="X")
        with pytest.raises(refusal):
            services.save_work(actor=actor, society=society, work=work, title="X")
        with pytest.raises(refusal):
            services.set_shares(actor=actor, work=work, lines=[])
        with pytest.raises(refusal):
            services.represent(actor=actor, user=user, holder=holder)
    own = organisation("THIRD", "society")
    with pytest.raises(NotFound):
        services.save_work(actor=staff(own, "works.import"), society=own, work=work, title="X")


def society_holder(society: Organisation) -> Any:
    return society_holders(society)[0]


def society_holders(society: Organisation) -> Any:
    from licensing.repertoire.models import Holder

    return Holder.objects.filter(society=society).order_by("ref")


def test_a_person_acts_for_a_holder(society: Organisation) -> None:
    user = User.objects.create(email="ada@example.com")
    holder = society_holder(society)
    services.represent(actor=SYSTEM, user=user, holder=holder)
    services.represent(actor=SYSTEM, user=user, holder=holder)
    assert services.holder_ids_of(user) == {holder.pk}
    assert Event.objects.filter(verb="representation.set").count() == 1
    services.represent(actor=SYSTEM, user=user, holder=holder, scope="catalogue")
    assert Representation.objects.get().scope == "catalogue"
    with pytest.raises(Refusal):
        services.represent(actor=SYSTEM, user=user, holder=holder, scope="king")
