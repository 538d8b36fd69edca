"""A holder's account by year: brought forward, what came and went, carried forward, and nobody else's."""

from __future__ import annotations

import csv
import datetime
import io
import json
from itertools import pairwise
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from accounts.identity.models import User
from licensing.repertoire.models import Holder, Representation
from royalties.ledger import services as ledger
from royalties.ledger.core import CHART, Transfer
from royalties.ledger.models import Account
from royalties.statements.core import AccountMovement, category
from royalties.statements.core.account import told
from royalties.statements.services import account as service
from tests.accounts import people
from tests.royalties.world import World, make_world

LAST_YEAR, THIS_YEAR = datetime.date(2025, 12, 31), datetime.date(2026, 1, 1)


@pytest.fixture
def world(db: None) -> World:
    made = make_world()
    Holder.objects.bulk_create([Holder(society=made.society, ref=ref, name=f"Holder {ref}") for ref in ("A", "B")])
    return made


def move(world: World, key: str, day: datetime.date, debit: str, credit: str, amount: int, holder: int) -> None:
    ids = [
        ledger.account(
            society_id=world.society.pk, kind=kind, currency="KRW",
            owner_id=holder if CHART[kind.partition(":")[0]].owner else None,
        )
        for kind in (debit, credit)
    ]  # fmt: skip
    ledger.post(
        society_id=world.society.pk,
        kind="test",
        key=key,
        effective_on=day,
        transfers=[Transfer(ids[0], ids[1], amount)],
    )


def paid(world: World) -> Account:
    """₩1,000 last year, ₩500 this year; ₩1,200 of it paid, ₩40 of that withheld."""
    holder = world.holders()["A"]
    move(world, "pool", LAST_YEAR, "bank", "pool", 9000, holder)
    move(world, "clearing", LAST_YEAR, "pool", "clearing", 9000, holder)
    move(world, "one", LAST_YEAR, "clearing", "payable", 1000, holder)
    move(world, "two", THIS_YEAR, "clearing", "payable", 500, holder)
    move(world, "tax", THIS_YEAR, "payable", "tax:income tax", 40, holder)
    move(world, "out", THIS_YEAR, "payable", "paying", 1160, holder)
    return Account.objects.select_related("society").get(kind="payable", owner_id=holder)


def client_of(world: World, holder: str, scope: str = "member") -> Client:
    user = User.objects.create_user(email=f"{holder}-{scope}@example.com".lower())
    Representation.objects.create(user=user, holder=Holder.objects.get(society=world.society, ref=holder), scope=scope)
    client = Client()
    client.force_login(user)
    return client


def test_a_year_begins_with_what_was_brought_forward_and_adds_up(world: World) -> None:
    account = paid(world)
    year = service.account_year(account, 2026)
    assert (year.opening, year.closing) == (1000, 300)
    assert year.sums == {"earned": 500, "paid": -1160, "withheld": -40}
    assert year.movements[-1].balance == 300 == account.credits - account.debits
    assert [each.sums for each in year.trend] == [{}, {"earned": 1000}, {"earned": 500, "paid": -1160, "withheld": -40}]
    assert service.account_year(account, 2025).closing == 1000
    assert service.years_of(account) == [2026, 2025]


MOVEMENTS = st.lists(
    st.builds(
        AccountMovement,
        st.integers(1, 9), st.dates(datetime.date(2024, 1, 1), datetime.date(2027, 12, 31)), st.just("run"),
        st.sampled_from(sorted(CHART)), st.integers(-(10**12), 10**12),
    )
)  # fmt: skip


@given(MOVEMENTS)
def test_every_year_carries_forward_what_the_next_brings_forward(movements: list[AccountMovement]) -> None:
    def year(number: int) -> Any:
        return told(
            society="S", society_name="S", holder="H", holder_name="H", currency="KRW", year=number, movements=movements
        )

    years = [year(number) for number in range(2024, 2028)]
    assert years[0].opening == 0
    assert all(one.closing == two.opening for one, two in pairwise(years))
    assert years[-1].closing == sum(each.amount for each in movements)
    assert all(one.opening + sum(one.sums.values()) == one.closing for one in years)
    assert year(2026) == told(
        society="S", society_name="S", holder="H", holder_name="H", currency="KRW", year=2026, movements=movements[::-1]
    ) or len({(each.on, each.journal, each.counter) for each in movements}) < len(movements)


def test_every_kind_of_account_means_something(world: World) -> None:
    assert {category(kind) for kind in CHART} >= {"earned", "paid", "withheld", "recouped", "passed"}


@pytest.mark.parametrize("language,forward", [("en", "Brought forward"), ("ko", "이월")])
def test_files_say_the_same(world: World, language: str, forward: str) -> None:
    account = paid(world)
    creator = client_of(world, "A")

    def file(form: str) -> bytes:
        url = reverse("royalties:holder_account_file", args=[account.pk, 2026, form])
        answer = creator.get(url, {"language": language})
        assert answer.status_code == 200
        return answer.content

    rows = list(csv.DictReader(io.StringIO(file("csv").decode("utf-8-sig"))))
    assert sum(int(row["amount"] or 0) for row in rows) + int(rows[0]["balance"]) == int(rows[-1]["balance"]) == 300
    assert json.loads(file("json"))["carried_forward"] == 300
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(file("pdf"))).pages)
    assert forward in text and "1,160" in text
    assert file("pdf") == file("pdf")


def test_a_holder_sees_their_own_account_and_no_other(world: World) -> None:
    account = paid(world)
    url = reverse("royalties:holder_account", args=[account.pk])
    assert "₩1,160" in client_of(world, "A").get(url, {"year": "2026"}).content.decode()
    assert client_of(world, "B").get(url).status_code == 404
    assert client_of(world, "A", "catalogue").get(url).status_code == 403
    assert str(account.pk) not in client_of(world, "B", "finance").get(
        reverse("royalties:holder_accounts")
    ).content.decode().split("account/")
    other = Client()
    other.force_login(people.person(people.organisation("OTHER", "society"), "finance"))
    assert other.get(url).status_code == 404
    own = Client()
    own.force_login(people.person(world.society, "auditor"))
    assert own.get(url).status_code == 200
    assert "Holder A" in own.get(reverse("royalties:holder_accounts"), {"q": "A"}).content.decode()


@pytest.mark.parametrize("year", ["", "abc", "99999", "0", "²", "0202600000", "9" * 4400])
def test_a_year_that_is_none_gives_the_latest(world: World, year: str) -> None:
    account = paid(world)
    answer = client_of(world, "A").get(reverse("royalties:holder_account", args=[account.pk]), {"year": year})
    assert answer.status_code == 200 and ", 2026" in answer.content.decode()
