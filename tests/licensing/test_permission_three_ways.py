"""Asked one by one, asked as a file, declared: the same works on the same facts are answered the same, and by the rules.

The rules are written down here once more, in plain loops over the rows of the database and without any code of the
product, so that a mistake made in one place shows.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from licensing.licences.models import Licence
from licensing.matching.core import title_key
from licensing.permissions import services
from licensing.permissions.models import DirectLicence, Mandate, Reservation, StatutoryScheme
from licensing.permissions.services.asking import Item
from licensing.permissions.services.checks import Question
from licensing.repertoire.models import Holder, Identifier, Share, Work
from tests.licensing.declaring import Firm, declare, lines
from tests.licensing.declaring import uses as declared_uses
from tests.licensing.parties import determined, licence, organisation
from tests.licensing.permission_cases import code
from tests.licensing.tariff_documents import charge, tariff
from tests.licensing.test_bulk_check import as_csv, asked_by

pytestmark = pytest.mark.django_db
SEOUL = ZoneInfo("Asia/Seoul")
DAY = dt.date(2026, 3, 31)  # the last one of the declared period
USES, KINDS, LANDS = ["train", "ground", "evaluate"], ["book", "web"], ["KR", "JP"]
KIND_OF = {"url": "web", "domain": "web", "isbn": "book", "doi": "other", "proprietary": "other", "iscc": "other"}
LICENSING = ("active", "terminated", "expired")  # what a licence allowed in its time stays allowed

WEB = [
    ("domain", "a.example.com"), ("domain", "example.com"), ("url", "a.example.com/books"), ("url", "a.example.com/books/1.html"),
    ("url", "a.example.com/books/1.html?x=1"), ("url", "a.example.com/bookshop"), ("url", "deep.a.example.com/books/2"),
    ("url", "other.co.kr/p"), ("domain", "other.co.kr"), ("url", "other.co.kr/p/q_r"), ("url", "other.co.kr/pXq"),
]  # fmt: skip
CODES = [
    ("isbn", "9780306406157"), ("isbn", "9783161484100"), ("doi", "10.1000/x"), ("doi", "10.1000/y"), ("proprietary", "P-1"),
    ("proprietary", "P-2"), ("iscc", code(1)), ("iscc", code(1, 39)), ("iscc", code(1, 40)), ("iscc", code(2)),
]  # fmt: skip
TITLES = ["A title", "Another title"]
PLACES = ["example.com", "a.example.com", "a.example.com/books", "other.co.kr", "other.co.kr/p", "example.com/books"]
PATTERNS = ["", "", "", "/books/*.html$", "/books/", "/p*q_r", "/*", "/bookshop$"]


def some(dice: Random, of: list[Any]) -> list[Any]:
    return ["*"] if dice.random() < 0.3 else sorted(dice.sample(of, dice.randint(1, len(of))))


def span(dice: Random) -> DateRange:
    """Days whose ends lie at the day that is asked about, or beside it."""
    since = dice.choice([None, dt.date(2026, 1, 1), DAY, DAY + dt.timedelta(1)])
    until = dice.choice([None, None, DAY, DAY + dt.timedelta(1), DAY + dt.timedelta(2)])
    return DateRange(since, until) if not (since and until) or since < until else DateRange(since, None)


def moment(dice: Random) -> dt.datetime:
    """About the ends of that day, and of the one before, in Seoul; or long before."""
    if dice.random() < 0.4:
        return dt.datetime(2026, 1, 5, 12, tzinfo=SEOUL)
    day = DAY + dt.timedelta(dice.randint(-1, 1))
    return dt.datetime.combine(
        day, dice.choice([dt.time(0, 0), dt.time(0, 0, 1), dt.time(12), dt.time(23, 59, 59)]), SEOUL
    )


class Facts:
    """Two societies with registers that overlap, a firm with licences, and opt-outs of everything."""

    def __init__(self, seed: int) -> None:
        self.dice = dice = Random(seed)
        self.societies = [organisation("PRESS", "society"), organisation("OTHER", "society")]
        self.firm = organisation("DASAN-AI", "licensee")
        self.rival = organisation("RIVAL-AI", "licensee")
        for n, society in enumerate(self.societies):
            version = determined(society, tariff(charge("per_unit", "tokens", per=1000, price="10"), tariff=f"T{n}"))
            for m in range(dice.randint(1 if n == 0 else 0, 2)):
                until = dice.choice([None, DAY, DAY + dt.timedelta(1)])
                made = licence(
                    society, self.firm, version, ref=f"L-{n}-{m}", uses=some(dice, USES), kinds=some(dice, KINDS),
                    territory=some(dice, LANDS), valid_to=until, ai_models=dice.choice([[], [], ["m"]]),
                    datasets=dice.choice([[], [], ["d"]]),
                )  # fmt: skip
                if dice.random() < 0.3:
                    Licence.objects.filter(pk=made.pk).update(
                        status=dice.choice(["draft", "suspended", "terminated", "expired"])
                    )
            self.register(society)
        for _n in range(dice.randint(4, 12)):
            self.reserve()

    def register(self, society: Any) -> None:
        dice = self.dice
        holders = [Holder.objects.create(society=society, ref=f"H{n}", name=f"H{n}") for n in range(4)]
        for holder in holders:
            for _n in range(dice.randint(0, 1)):
                Mandate.objects.create(
                    society=society, holder=holder, uses=some(dice, USES), kinds=some(dice, KINDS), territory=some(dice, LANDS),
                    valid=span(dice),
                )  # fmt: skip
            for whose in (self.firm, self.rival):
                if dice.random() < 0.6:
                    DirectLicence.objects.create(
                        holder=holder, licensee=whose, uses=some(dice, USES), kinds=some(dice, KINDS), territory=some(dice, LANDS),
                        valid=span(dice),
                    )  # fmt: skip
        if dice.random() < 0.4:
            StatutoryScheme.objects.create(
                society=society, ref="LAW", name="Law", uses=some(dice, USES), kinds=["book"], territory=some(dice, LANDS),
                valid=span(dice), enabled=dice.random() < 0.7,
            )  # fmt: skip
        free = dice.sample(WEB + CODES, len(WEB + CODES))
        for n in range(dice.randint(5, 9)):
            named = [free.pop() for _n in range(dice.randint(1, 2)) if free]
            work = Work.objects.create(
                society=society, ref=f"W{n}", title="x", kind=dice.choice(KINDS),
                protected_until=dice.choice([None, None, None, DAY, DAY + dt.timedelta(1)]),
            )  # fmt: skip
            for scheme, value in named:
                Identifier.objects.create(society=society, work=work, scheme=scheme, value=value)
            for holder in dice.sample(holders, dice.choice([0, 1, 1, 1, 2, 3])):
                Share.objects.create(
                    work=work, holder=holder, role="author", ppm=dice.randint(1, 333_333), valid=span(dice)
                )

    def reserve(self) -> None:
        dice, society = self.dice, self.dice.choice(self.societies)
        kind = dice.choice(["work", "holder", "place", "place", "identifier", "identifier"])
        target: dict[str, Any] = {}
        if kind == "work":
            target = {"work": dice.choice(list(Work.objects.filter(society=society).order_by("pk")))}
        elif kind == "holder":
            target = {"holder": dice.choice(list(Holder.objects.filter(society=society).order_by("pk")))}
        elif kind == "place":
            target = {"place": dice.choice(PLACES), "pattern": dice.choice(PATTERNS)}
            target["excepting"] = dice.choice([[], [], ["/books/1.html"], ["/p*q_r$"], ["/"]])
        else:
            scheme, value = dice.choice([*CODES, ("title", title_key("A title", ""))])
            target = {"scheme": scheme, "value": value}
        received, status = moment(dice), dice.choice(["received", "effective", "effective", "withdrawn", "rejected"])
        begins = received + dice.choice([dt.timedelta(0), dt.timedelta(0), dt.timedelta(hours=13)])
        ended = None if status in ("received", "effective") else max(received, moment(dice))
        Reservation.objects.create(
            ref=f"R-{Reservation.objects.count()}", society=society, uses=some(dice, USES), territory=some(dice, LANDS),
            status=status, received_at=received, effective_from=begins, ended_at=ended, source="staff", target=kind, **target,
        )  # fmt: skip
        Reservation.objects.create(
            ref=f"U-{Reservation.objects.count()}", society=society, uses=["*"], territory=["*"], status="unconfirmed",
            source="form", target=kind, **target,
        )  # fmt: skip


# --- The rules once more ----------------------------------------------------------------------------------------------


def covers(codes: list[str], what: str) -> bool:
    return "*" in codes or what in codes


def on_day(days: DateRange, day: dt.date) -> bool:
    return (days.lower is None or days.lower <= day) and (days.upper is None or day < days.upper)


def grants(grant: Any, use: str, kind: str, land: str, day: dt.date) -> bool:
    said = covers(grant.uses, use) and covers(grant.kinds, kind) and covers(grant.territory, land)
    return said and on_day(grant.valid, day)


def glob(pattern: str, path: str) -> bool:
    end = pattern.endswith("$")
    parts = [re.escape(part) for part in pattern.removesuffix("$").split("*")]
    return re.match(".*".join(parts) + ("$" if end else ""), path) is not None


def lies_in(location: str, place: str) -> bool:
    host, _slash, path = location.partition("/")
    at, _slash, below = place.partition("/")
    if not below:
        return host == at or host.endswith("." + at)
    path = path.partition("?")[0].rstrip("/")
    return host == at and (path == below.rstrip("/") or path.startswith(below.rstrip("/") + "/"))


def near(one: str, other: str) -> bool:
    bits = {code(n, m): (n, m) for n in (1, 2) for m in (0, 39, 40)}
    (a, m), (b, k) = bits[one], bits[other]
    return a == b and abs(m - k) < 40 and bin(((1 << m) - 1) ^ ((1 << k) - 1)).count("1") < 40


def touches(r: Reservation, scheme: str, value: str, work: Work | None, day: dt.date) -> bool:
    if r.work_id:
        return work is not None and r.work_id == work.pk
    if r.holder_id:
        return work is not None and any(
            s.holder_id == r.holder_id and on_day(s.valid, day) for s in Share.objects.filter(work=work)
        )
    if r.place:
        if scheme not in ("url", "domain") or not lies_in(value, r.place):
            return False
        host, slash, path = value.partition("/")
        same = host == r.place.partition("/")[0]
        if r.pattern and not (same and glob(r.pattern, slash + path)):
            return False
        return not any(same and glob(other, slash + path) for other in r.excepting)
    mine = [(scheme, value)]
    mine += [(i.scheme, i.value) for i in Identifier.objects.filter(work=work)] if work else []
    return any(
        (s, v) == (r.scheme, r.value) or (s == r.scheme == "iscc" and v != r.value and near(v, r.value))
        for s, v in mine
    )


def counts(r: Reservation, use: str, land: str, on: dt.date | dt.datetime) -> bool:
    if r.status == "unconfirmed" or not covers(r.uses, use) or not covers(r.territory, land):
        return False
    begins, ends = r.effective_from, r.ended_at
    assert begins is not None
    if isinstance(on, dt.datetime):
        return begins <= on and (ends is None or on < ends)
    return begins.astimezone(SEOUL).date() < on and (ends is None or on <= ends.astimezone(SEOUL).date())


def fits(x: Licence, question: Question, kind: str, day: dt.date, *, unnamed: bool = True) -> bool:
    return (
        x.status in LICENSING and covers(x.uses, question.use) and covers(x.kinds, kind)
        and covers(x.territory, question.territory) and on_day(x.valid, day)
        and (not x.ai_models or question.model in x.ai_models) and (not x.datasets or question.dataset in x.datasets)
    )  # fmt: skip


def ruled(
    question: Question, scheme: str, value: str, work: Work | None, society: Any, firm: Any, licences: list[Licence]
) -> tuple[str, str, int]:
    """(verdict, basis, missing ppm) of one work in one society's register; without a work, of what nobody registered."""
    on = question.on
    assert on is not None
    day = on.astimezone(SEOUL).date() if isinstance(on, dt.datetime) else on
    use, land = question.use, question.territory
    reserved = any(counts(r, use, land, on) and touches(r, scheme, value, work, day) for r in Reservation.objects.all())
    if work is None:
        kind = KIND_OF.get(scheme, "other")
        open_to = any(fits(x, question, kind, day) for x in licences)
        return ("reserved" if reserved else "unmatched" if open_to else "unlicensed"), "", 0
    if work.protected_until and work.protected_until <= day:
        return "licensed", "free", 0
    if reserved:
        return "reserved", "", 0
    shares = [s for s in Share.objects.filter(work=work) if on_day(s.valid, day)]
    kind = work.kind

    def given(model: Any, holder: int, **only: Any) -> bool:
        return any(grants(g, use, kind, land, day) for g in model.objects.filter(holder_id=holder, **only))

    if shares and all(given(DirectLicence, s.holder_id, licensee=firm) for s in shares):
        return "licensed", "individual", 0
    laws = StatutoryScheme.objects.filter(society=society, enabled=True)
    if any(grants(law, use, kind, land, day) for law in laws):
        return "licensed", "statutory", 0
    missing = sum(s.ppm for s in shares if not given(Mandate, s.holder_id)) if shares else 1_000_000
    if missing:
        return "unmandated", "", missing
    if any(fits(x, question, kind, day) for x in licences):
        return "licensed", "licence", 0
    return "unlicensed", "", 0


def registered(society: Any, scheme: str, value: str) -> Work | None:
    """The work of this identifier, for the web that of the most specific place."""
    exact = Identifier.objects.filter(society=society, scheme=scheme, value=value).first()
    if exact or scheme not in ("url", "domain"):
        return exact.work if exact else None
    around = [
        i for i in Identifier.objects.filter(society=society, scheme__in=["url", "domain"]) if lies_in(value, i.value)
    ]
    best = max(
        around, key=lambda i: (len(i.value), i.value == value, i.scheme == scheme, i.scheme == "domain"), default=None
    )
    return best.work if best else None


def expected(facts: Facts, question: Question, scheme: str, value: str) -> tuple[str, str, int, str, str]:
    found = [(s, registered(s, scheme, value)) for s in facts.societies]
    known = [(s, w) for s, w in found if w is not None]
    held = {s.pk: list(Licence.objects.filter(licensee=facts.firm, society=s)) for s in facts.societies}
    if not known:
        return *ruled(question, scheme, value, None, None, facts.firm, [x for xs in held.values() for x in xs]), "", ""
    speaking = [(s, w) for s, w in known if held[s.pk]] or known
    order = ["reserved", "licensed", "unmandated", "unlicensed"]
    said = [(*ruled(question, scheme, value, w, s, facts.firm, held[s.pk]), s.ref, w.ref) for s, w in speaking]
    return min(said, key=lambda answer: order.index(answer[0]))


# --- The three ways ---------------------------------------------------------------------------------------------------

ASKED = [*((s, v, v) for s, v in WEB + CODES), *(("title", title_key(title, ""), title) for title in TITLES)]
QUESTIONS = [
    Question("train", DAY), Question("ground", DAY, "JP"), Question("evaluate", DAY, "KR", "m", "d"), Question("train", None, "KR", "m"),
]  # fmt: skip
MOMENTS = [dt.datetime(2026, 3, 31, tzinfo=SEOUL), dt.datetime(2026, 3, 31, 0, 0, 1, tzinfo=SEOUL)]


def item(scheme: str, value: str, typed: str) -> Item:
    return Item(title=typed) if scheme == "title" else Item(scheme, value)


def one_by_one(facts: Facts, of: Firm, question: Question) -> list[tuple[str, str, int, str, str]]:
    checked = services.check(
        actor=of.declarant, use=question.use, items=[item(*each) for each in ASKED], on=question.on,
        territory=question.territory, model=question.model, dataset=question.dataset,
    )  # fmt: skip
    return [
        (a.verdict, a.basis, a.missing_ppm, a.work.society if a.work else "", a.work.ref if a.work else "")
        for a in checked.answers
    ]


def as_a_file(of: Firm, question: Question) -> list[tuple[str, str, int, str, str]]:
    data = as_csv([("", "", typed) if scheme == "title" else (scheme, value, "") for scheme, value, typed in ASKED])
    _check, rows = asked_by(of, question, data)
    return [(r["verdict"], r["basis"], int(r["missing_ppm"]), r["society"], r["work_ref"]) for r in rows]


def differing(answers: list[Any], rules: list[Any]) -> list[tuple[Any, ...]]:
    """(what was asked, its answer, what the rules say), where they are not the same."""
    return [(*each[:2], a, r) for each, a, r in zip(ASKED, answers, rules, strict=True) if a != r]


@pytest.mark.parametrize("seed", [1, 6, 7])
def test_every_way_of_asking_keeps_the_rules(seed: int) -> None:
    facts = Facts(seed)
    held = Licence.objects.get(ref="L-0-0")
    of = Firm(facts.societies[0], facts.firm, held)
    now = timezone.now()
    for question in QUESTIONS:
        asked = Question(question.use, question.on or now, question.territory, question.model, question.dataset)
        rules = [expected(facts, asked, scheme, value) for scheme, value, _typed in ASKED]
        assert differing(one_by_one(facts, of, question), rules) == [], question
        assert differing(as_a_file(of, question), rules) == [], question
    for at in MOMENTS:
        question = Question("train", at)
        rules = [expected(facts, question, scheme, value) for scheme, value, _typed in ASKED]
        assert differing(one_by_one(facts, of, question), rules) == [], at


@pytest.mark.parametrize("seed", [4, 6])
def test_a_declaration_keeps_the_same_rules(seed: int) -> None:
    facts = Facts(seed)
    held = Licence.objects.get(ref="L-0-0")
    if held.status not in LICENSING:
        Licence.objects.filter(pk=held.pk).update(status="active")
        held.refresh_from_db()
    society = facts.societies[0]
    rows = [f",,1,{typed}" if scheme == "title" else f"{scheme},{value},1," for scheme, value, typed in ASKED]
    data = lines(*rows, header="identifier_type,identifier,units,title")
    made = declare(Firm(society, facts.firm, held), data, model="m", dataset="d")
    question = Question("train", DAY, "KR", "m", "d")
    rules: Counter[tuple[str, str, str]] = Counter()
    for scheme, value, _typed in ASKED:
        work = registered(society, scheme, value)
        verdict, basis, _missing = ruled(question, scheme, value, work, society, facts.firm, [held])
        rules[work.ref if work else f"{scheme}:{value}", verdict, basis] += 1
    got: Counter[tuple[str, str, str]] = Counter()
    for key, status, basis, _units, many in declared_uses(made):
        got[key, status, basis] += many
    assert got == rules
