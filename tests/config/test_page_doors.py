"""Every page about an object is absent for those whom it does not concern, and nothing in an address makes a page crash.

The pages are found in the URLconf, so that none is left out.
"""

from __future__ import annotations

import datetime
import io
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from typing import Any

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from accounts.access.models import Membership
from accounts.access.services import issue_token
from accounts.identity.core import SYSTEM, Actor
from accounts.identity.models import User
from accounts.notices.models import Notice, Webhook, WebhookDelivery
from accounts.organisations.models import Organisation
from config.actors import actor_of_user
from licensing.claims.models import Claim, Unmatched
from licensing.compliance.models import Case, ReservationNotice
from licensing.declarations import models as checking
from licensing.declarations.models import Declaration, ReportDuty
from licensing.intake.services import keep
from licensing.licences.models import Licence, StandardTerms, StandingOffer
from licensing.licences.services import certificates
from licensing.matching.services import decide
from licensing.permissions.models import FoundSignal, Mandate, MandateSignature, Reservation, Site, StatutoryScheme
from licensing.permissions.services import bulk, grant_mandate, signing
from licensing.permissions.services.checks import Question
from licensing.permissions.services.direct import grant_direct_licence
from licensing.permissions.services.imports import request_import
from licensing.repertoire.models import Holder, Representation, Work
from licensing.repertoire.services import joining, registering
from licensing.tariffs import services as rates
from licensing.tariffs.models import TariffVersion
from royalties.bank.models import BankAccount, BankStatement, Entry, StatementImport
from royalties.billing.models import Invoice, Refund, WriteOff
from royalties.distribution import services as distribution
from royalties.distribution.models import Allocation, Rule, RulePreview
from royalties.entitlements.models import Advance, Entitlement, SisterAgreement, SisterLine, SisterStatement
from royalties.ledger.models import Account, Journal
from royalties.payees import services as payees
from royalties.payees.models import PayeeDetails, PayeeImport, PayeeTerms, TaxPaper, TaxRule
from royalties.payouts.models import Batch, Payment
from royalties.reports import services as reports
from royalties.reports.models import Close
from royalties.statements import services as statements
from royalties.statements.models import Statement
from royalties.statements.services import archives
from tests.accounts import people
from tests.config.outstanding_doors import of_what_waits
from tests.licensing import licences_made
from tests.licensing.parties import determined
from tests.royalties.world import QUARTER, World, make_world, worked_example

pytestmark = pytest.mark.django_db

PUBLIC = {
    "licensing:consultation",
    "licensing:comment_attachment",
    "licensing:tariff",
    "licensing:tariff_compare",
    "licensing:tariff_document",
    "licensing:unmatched_item",
    "royalties:public_notice",
    "royalties:report",
    "royalties:report_file",
    "royalties:tax_rule",
} | {f"licensing:{page}" for page in ("terms_version", "terms_document", "ready_offer")}
FILLED = {
    "on": "2026-05-01",
    "reason": "none",
    "detail": "none",
    "decision": "approve",
}  # what the forms of acts ask for
HOSTILE = ("'%\\", "-1", "9" * 10, "9" * 19, "9" * 4400, "٣", "run:")
ASKED = (
    "q", "page", "sort", "status", "kind", "use", "when", "holder", "licence", "tariff", "version", "try", "mine", "run", "tab",
    "language", "currency", "reason", "empty", "object", "before", "period_start", "period_end",
    "key", "ref", "work", "state", "society", "title", "identifier", "address",
    "licensee", "declaration", "about", "which", "download", "year", "first_day", "end",
    "against", "unit", "change", "with", "seed", "scheme", "only", "source", "back", "start", "code", "next", "clock", "on",
    "from", "to", "example", "entry", "format",
)  # fmt: skip


def _routes(patterns: Iterable[Any], names: str = "") -> Iterator[tuple[str, tuple[str, ...]]]:
    """(name, parameters) of every page of ours."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            if str(pattern.pattern) not in ("accounts/", "api/v1/"):
                yield from _routes(pattern.url_patterns, f"{pattern.namespace}:" if pattern.namespace else names)
        elif isinstance(pattern, URLPattern) and pattern.name:
            yield f"{names}{pattern.name}", tuple(pattern.pattern.converters)


ROUTES = dict(_routes(get_resolver().url_patterns))
ABOUT_AN_OBJECT = sorted(name for name, keys in ROUTES.items() if any(key.endswith("_id") for key in keys))


@pytest.fixture(scope="module")
def lived(module_db: Any) -> tuple[World, dict[str, Any]]:
    """A society that went through everything once, and what its pages' addresses name."""
    with module_db():
        made = _lived()
        return made, _named(made)


@pytest.fixture
def world(lived: tuple[World, dict[str, Any]]) -> World:
    return deepcopy(lived[0])


@pytest.fixture
def address(lived: tuple[World, dict[str, Any]]) -> Callable[[str], str]:
    """The address of a page, about the world's own objects."""
    values = lived[1]
    return lambda name: reverse(name, kwargs={key: values[key] for key in ROUTES[name]})


def _lived() -> World:
    """Up to published statements."""
    made = make_world()
    made.rule()
    worked_example(made)
    determined(made.society)
    run = distribution.compute(distribution.start_run(actor=made.computer, society=made.society, period=QUARTER).pk)
    distribution.request(actor=made.computer, run=run)
    run = distribution.post(distribution.approve(actor=made.approver, run=run).pk)
    statements.publish(actor=made.approver, run=run)
    Declaration.objects.update(submitted_at=timezone.now())  # a society sees what was handed in
    return made


def _named(world: World) -> dict[str, Any]:
    """The world's own objects, by the parameters of addresses."""
    holder = Holder.objects.get(ref="H-A")
    statement = Statement.objects.get(holder=holder)
    mandate = grant_mandate(actor=SYSTEM, holder=holder, uses=["*"], valid_from=datetime.date(2026, 1, 1))
    file = io.BytesIO(b"holder_ref,name\nH-A,Han\n")
    waiting = request_import(actor=SYSTEM, society=world.society, kind="holders", stream=file, name="holders.csv")
    user = User.objects.get(pk=world.computer.user_id)
    webhook = Webhook.objects.create(organisation=world.society, url="https://example.org/", events=["case.opened"])
    told = WebhookDelivery.objects.create(webhook=webhook, event_key="k", kind="ping", body="{}", status="failed")
    case, kept = _compliance(world, holder)
    signal = _signal(holder)
    checks = frozenset({"permissions.check"})
    society = Actor(
        "user", 1, "someone", organisation_id=world.society.pk, organisation_kind="society", permissions=checks
    )
    asked = io.BytesIO(b"identifier_type,identifier\nisbn,9780306406157\n")
    check = bulk.request_check(
        actor=society, organisation=world.society, question=Question("train"), stream=asked, name="w.csv"
    )
    bulk.run(check.pk)
    given = grant_direct_licence(
        actor=SYSTEM, holder=holder, licensee=Licence.objects.get(society=world.society).licensee, uses=["*"],
        valid_from=datetime.date(2026, 1, 1),
    )  # fmt: skip
    models = (Declaration, Work, Invoice, Rule, Account, Journal)
    values: dict[str, Any] = {f"{model.__name__.lower()}_id": model.objects.order_by("pk")[0].pk for model in models}
    values |= {
        "licence_id": Licence.objects.get(society=world.society).pk,
        "holder_id": holder.pk, "statement_id": statement.pk, "run_id": statement.run_id, "mandate_id": mandate.pk, "import_id": waiting.pk,
        "check_id": check.pk, "direct_id": given.pk,
        "line_id": Allocation.objects.filter(holder=holder)[0].pk,
        "tariff_id": TariffVersion.objects.get().tariff_id, **_proposal(TariffVersion.objects.get()),
        "membership_id": Membership.objects.filter(organisation=world.society)[0].pk,
        "token_id": issue_token(actor=SYSTEM, organisation=world.society, scopes="*")[0].pk,
        "webhook_id": told.webhook_id, "delivery_id": told.pk,
        "notice_id": Notice.objects.create(user=user, key="k", kind="k", subject="s").pk,
        "site_id": signal.site_id, "signal_id": signal.pk,
        **_of_members(holder),
        "duty_id": _duty(world).pk, "scheme_id": _scheme(world).pk,
        **_of_a_licence(world),
        **_of_terms(world),
        **_of_claims(world, holder),
        **_of_checks(world),
        **_of_entitlements(world, holder),
        **_of_payees(world, holder),
        **_of_the_bank(world),
        **of_what_waits(world, holder),
        **_of_books(world, statement),
        "case_id": case.pk, "reservation_notice_id": kept.pk,
        "reservation_id": kept.reservation_id, "ref": kept.reservation.ref, "language": "ko", "kind": "letter",
        "group": "holder", "form": "csv",
        "society": world.society.ref, "work_ref": Work.objects.order_by("pk")[0].ref, "holder_ref": holder.ref,
        "host": "example.com", "document": "tdmrep.json",
    }  # fmt: skip
    return values


def _of_a_licence(world: World) -> dict[str, int]:
    """A request with a paper, quoted and offered."""
    licence = Licence.objects.get(society=world.society)
    asked = licences_made.asked(licence.tariff, licence.licensee, status="offered")
    paper = licences_made.paper_of(asked)
    offer = licences_made.offered(licences_made.quoted(asked), licences_made.terms_of(world.society))
    return {"request_id": asked.pk, "file_id": paper.pk, "offer_id": offer.pk}


def _of_terms(world: World) -> dict[str, Any]:
    """Terms and a standing offer that the society still works on, and the certificate of its licence."""
    licence = Licence.objects.get(society=world.society)
    draft = StandardTerms.objects.create(
        society=world.society, ref="DRAFT", version=1, name="Draft", name_ko="초안", clauses=licences_made.CLAUSES,
        conditions={}, sha256="1" * 64,
    )  # fmt: skip
    prepared = StandingOffer.objects.create(
        ref="S-DOOR-DOOR-DOOR", society=world.society, tariff=licence.tariff, terms=draft, name="Ready", uses=["train"],
        kinds=["*"], territory=["*"], months=12, prepared_by_id=world.computer.user_id or 0,
    )  # fmt: skip
    code = certificates.issue(licence=licence).code
    return {"terms_id": draft.pk, "standing_id": prepared.pk, "code": code, "name": "odrl.json"}


def _of_claims(world: World, holder: Holder) -> dict[str, int]:
    """An unmatched item that a member claims with a file, and a decision about another."""
    named = {"society": world.society, "scheme": "isbn", "kind": "book", "lines": 1}
    item = Unmatched.objects.create(value="9788936434267", title="A Book", **named)
    proof = keep(actor=SYSTEM, stream=io.BytesIO(b"%PDF-1"), name="proof.pdf", organisation=world.society)
    claimant = User.objects.get(pk=world.computer.user_id)
    claim = Claim.objects.create(
        ref="K-DOOR-DOOR-DOOR", item=item, holder=holder, claimant=claimant, statement="Mine.", evidence=proof
    )
    rule = decide(actor=SYSTEM, society=world.society, scheme="isbn", value="9780306406157", work=None)
    return {"item_id": item.pk, "claim_id": claim.pk, "match_rule_id": rule.pk}


def _of_checks(world: World) -> dict[str, int]:
    """A question about the world's declaration, and a sample of it for an audit."""
    declaration = Declaration.objects.order_by("pk")[0]
    asked = checking.Question.objects.create(
        declaration=declaration, code="society", severity="note", detail="?", asked_by="x"
    )
    sample = checking.AuditSample.objects.create(declaration=declaration, seed="s", population=1, size=1, drawn_by="x")
    return {"question_id": asked.pk, "sample_id": sample.pk}


def _of_entitlements(world: World, holder: Holder) -> dict[str, int]:
    """A right of somebody else, an advance, and a sister society with a statement to it."""
    paper = keep(actor=SYSTEM, stream=io.BytesIO(b"%PDF-2"), name="order.pdf", organisation=world.society)
    since = DateRange(datetime.date(2026, 1, 1), None)
    named = {"society": world.society, "valid": since, "document": paper}
    heir = Holder.objects.exclude(pk=holder.pk).filter(society=world.society)[0]
    right = Entitlement.objects.create(holder=holder, to_holder=heir, kind="succession", basis="x", **named)
    advance = Advance.objects.create(society=world.society, holder=holder, currency="KRW", amount=1, reason="x")
    sister = people.organisation("SISTER", "society")
    agreement = SisterAgreement.objects.create(sister=sister, uses=["*"], territory=["*"], **named)
    statement = SisterStatement.objects.create(
        society=world.society, sister=sister, agreement=agreement, journal=Journal.objects.order_by("pk")[0], currency="KRW",
        on=datetime.date(2026, 6, 1), holders=1, gross=1, net=1,
    )  # fmt: skip
    SisterLine.objects.create(statement=statement, holder=holder, gross=1, net=1)
    return {
        "entitlement_id": right.pk,
        "advance_id": advance.pk,
        "agreement_id": agreement.pk,
        "sister_statement_id": statement.pk,
    }


def _of_the_bank(world: World) -> dict[str, int]:
    """An account with a statement of one payment, a refund of it, and a write-off."""
    account = BankAccount.objects.create(
        society=world.society, name="Main", bank="Bank", number="110123456789", currency="KRW"
    )
    file = keep(actor=SYSTEM, stream=io.BytesIO(b"<x/>"), name="may.xml", organisation=world.society)
    day = datetime.date(2026, 5, 1)
    kept = BankStatement.objects.create(
        account=account, file=file, place=1, sha256="0" * 64, first_day=day, last_day=day, opening=0, closing=5, credits=5,
        entry_count=1,
    )  # fmt: skip
    entry = Entry.objects.create(
        society=world.society, account=account, statement=kept, position=1, sign=1, amount=5, currency="KRW", booked_on=day,
        value_on=day, bank_ref="R-DOOR",
    )  # fmt: skip
    tried = StatementImport.objects.create(account=account, file=file, status="done", entry_count=1)
    refund = Refund.objects.create(
        society=world.society, entry=entry, currency="KRW", amount=5, payee_name="K", payee_account="1234", reason="x"
    )
    invoice = Invoice.objects.filter(society=world.society).order_by("pk")[0]
    lost = WriteOff.objects.create(
        society=world.society, invoice=invoice, ground="lost", reason="x", amount=1, effective_on=day
    )
    return {
        "bank_id": account.pk, "entry_id": entry.pk, "tried_id": tried.pk, "refund_id": refund.pk, "write_off_id": lost.pk,
    }  # fmt: skip


def _of_books(world: World, statement: Statement) -> dict[str, Any]:
    """What a holder is owed, a close that waits, a report, all statements as files, and two versions of the rule compared."""
    society = world.society
    close = Close.objects.create(society=society, through=datetime.date(2026, 1, 31), sha256="0" * 64)
    report = reports.draft_report(actor=SYSTEM, society=society, first=datetime.date(2026, 1, 1))
    archive = archives.ask_archive(actor=SYSTEM, run=statement.run, form="csv", language="ko")
    part = archive.parts.get()
    archives.write_part(part.pk)
    rule = Rule.objects.get(society=society)
    other = Rule.objects.create(
        society=society, ref=rule.ref, version=2, document=rule.document, sha256="2" * 64,
        valid=DateRange(datetime.date(2030, 1, 1), None),
    )  # fmt: skip
    preview = RulePreview.objects.create(society=society, one=rule, other=other, period=QUARTER, currency="KRW")
    return {
        "holder_account_id": Account.objects.get(kind="payable", owner_id=statement.holder_id).pk, "close_id": close.pk,
        "report_id": report.pk, "currency": "KRW", "figure": "collected", "archive_part_id": part.pk, "preview_id": preview.pk,
    }  # fmt: skip


def _of_payees(world: World, holder: Holder) -> dict[str, int]:
    """Where the holder is paid, from a file; a certificate, a waiting time, and a payment of the year."""
    payee, now, user = payees.payee_of(holder), timezone.now(), User.objects.get(pk=world.computer.user_id)
    file = PayeeImport.objects.create(society=world.society, name="payees.csv", sha256="0" * 64)
    asked = {"requested_by": user, "requested_at": now, "made_by": file}
    details = PayeeDetails.objects.create(
        society=world.society, payee=payee, version=1, sealed=b"", key_id="k", fingerprint="f", **asked
    )
    since = DateRange(datetime.date(2026, 1, 1), None)
    paper = TaxPaper.objects.create(society=world.society, payee=payee, kind="w9", country="US", valid=since, **asked)
    terms = PayeeTerms.objects.create(society=world.society, cooling_off_days=1, requested_by=user)
    batch = Batch.objects.create(
        society=world.society, currency="KRW", execute_on=datetime.date(2026, 5, 1), status="discarded"
    )
    payment = Payment.objects.create(
        batch=batch, society=world.society, holder=holder, position=1, details=details, end_to_end_id="DOOR", currency="KRW", gross=1,
        withheld=0, net=1, status="settled", execute_on=batch.execute_on,
    )  # fmt: skip
    return {
        "payee_id": payee.pk, "details_id": details.pk, "payee_import_id": file.pk, "paper_id": paper.pk, "payee_terms_id": terms.pk,
        "batch_id": batch.pk, "payment_id": payment.pk,
        "tax_rule_id": TaxRule.objects.order_by("pk")[0].pk, "year": 2026,
    }  # fmt: skip


def _duty(world: World) -> ReportDuty:
    """A period that the world's licensee has to report on."""
    return ReportDuty.objects.create(
        licence=Licence.objects.get(society=world.society), period=QUARTER, due_on=datetime.date(2026, 5, 1)
    )


def _scheme(world: World) -> StatutoryScheme:
    """What a law is said to license, off."""
    since = DateRange(datetime.date(2026, 1, 1), None)
    terms = {"uses": ["train"], "kinds": ["book"], "territory": ["KR"]}
    return StatutoryScheme.objects.create(society=world.society, ref="LAW", name="Law", valid=since, **terms)


def _compliance(world: World, holder: Holder) -> tuple[Case, ReservationNotice]:
    """A case of the world's declaration, and a notice of a reservation."""
    case = Case.objects.create(
        declaration=Declaration.objects.order_by("pk")[0], society=world.society, licensee=world.licensee, holder=holder
    )
    now = timezone.now()
    reservation = Reservation.objects.create(
        ref="R-DOOR-DOOR-DOOR", society=world.society, target="work", work=Work.objects.order_by("pk")[0], uses=["train"],
        territory=["*"], status="effective", source="staff", received_at=now, effective_from=now,
    )  # fmt: skip
    notice = ReservationNotice.objects.create(reservation=reservation, licensee=world.licensee, due_on=now.date())
    return case, notice


def _proposal(first: TariffVersion) -> dict[str, int]:
    """A proposal of the world's society that is open for comments, with a published one and its file."""
    society = Actor(
        "user", 1, "manager", organisation_id=first.tariff.society_id, organisation_kind="society",
        permissions=frozenset({"tariffs.manage"}),
    )  # fmt: skip
    document = first.document | {"version": 2, "valid_from": "2030-01-01"}
    draft = rates.draft(actor=society, society=first.tariff.society, document=document)
    body = people.organisation("ITS-RATE-BODY", "rate_body")
    today = timezone.localdate()
    version = rates.publish(
        actor=society, version=draft, body=body, reasons="R", effect="E", closes=today + datetime.timedelta(days=30),
        decide_by=today + datetime.timedelta(days=60),
    )  # fmt: skip
    writer = actor_of_user(User.objects.create_user("writer@one.example", "pw"))
    comment = rates.comment(
        actor=writer, version=version, name="W", standing="public", text="T", files=[("a.txt", io.BytesIO(b"a"))]
    )
    rates.moderate(actor=people.actor(body), comment=comment)
    return {"version_id": version.pk, "comment_id": comment.pk, "attachment_id": comment.attachments.get().pk}


def _signal(holder: Holder) -> FoundSignal:
    """A signal found on a site of the holder's."""
    now = timezone.now()
    site = Site.objects.create(society=holder.society, holder=holder, host="example.com", token="t", fetched_at=now)
    return FoundSignal.objects.create(
        site=site, society=holder.society, source="tdmrep", vocabulary="tdmrep-2024", url="https://example.com/", raw=b"[]",
        sha256="0" * 64, found_at=now, seen_at=now,
    )  # fmt: skip


def _of_members(holder: Holder) -> dict[str, int]:
    """What a member and somebody who wants to become one set going."""
    applicant = User.objects.create_user("applicant@one.example", "pw")
    asked = joining.apply(
        actor=actor_of_user(applicant),
        society=holder.society,
        identity=io.BytesIO(b"%PDF-1"),
        name="One",
        creates="Poems",
    )
    member = Actor(
        kind="user",
        id=None,
        label="member",
        permissions=frozenset({"works.register"}),
        holder_ids=frozenset({holder.pk}),
    )
    other = Holder.objects.filter(society=holder.society).exclude(pk=holder.pk)[0]
    lines = [registering.Named("", "1/2"), registering.Named(other.ref, "1/2")]
    put = registering.register(actor=member, holder=holder, lines=lines, kind="book", title="New").registration
    held = signing.set_terms(
        actor=SYSTEM, society=holder.society, text="Words.", valid_from=datetime.date(2026, 1, 1), notice_days=1
    )
    mandate = Mandate.objects.filter(holder=holder)[0]
    signed = MandateSignature.objects.create(
        mandate=mandate, terms=held, user=applicant, typed_name="H", language="en", document_sha256="0" * 64
    )
    return {"application_id": asked.pk, "registration_id": put.pk, "signature_id": signed.pk}


class _Browser(Client):
    """One that reads nothing of a file that it is sent, and lets go of it."""

    def request(self, **request: Any) -> Any:
        answer = super().request(**request)
        if sent := getattr(answer, "file_to_stream", None):
            sent.close()  # closing the answer would close the test's connection, too
        return answer


def _browser(user: User) -> Client:
    client = _Browser()
    client.force_login(user)
    return client


def _strangers() -> dict[str, Client]:
    """Someone with the largest role in each kind of organisation, and a creator of another society."""
    found = {}
    for kind in ("society", "licensee", "rate_body"):
        found[kind] = _browser(people.person(people.organisation(f"OTHER-{kind}".upper().replace("_", "-"), kind)))
    creator = User.objects.create_user("creator@other.example", "pw")
    holder = Holder.objects.create(society=Organisation.objects.get(ref="OTHER-SOCIETY"), ref="H-A", name="Other")
    Representation.objects.create(user=creator, holder=holder)
    return found | {"creator": _browser(creator)}


def test_the_pages_are_found() -> None:
    assert len(ABOUT_AN_OBJECT) > 40 and len(ROUTES) > 80


def test_a_strangers_object_is_absent_on_every_page(address: Callable[[str], str]) -> None:
    strangers = _strangers()
    for name in ABOUT_AN_OBJECT:
        for kind, stranger in strangers.items():
            if name in PUBLIC:
                continue
            for answer in (stranger.get(address(name)), stranger.post(address(name), FILLED)):
                assert answer.status_code in (403, 404, 405), (name, kind, answer.status_code)


def test_nobody_opens_a_page_about_an_object_without_signing_in(address: Callable[[str], str]) -> None:
    for name in ABOUT_AN_OBJECT:
        if name in PUBLIC:
            continue
        for method in (Client().get, Client().post):
            answer = method(address(name))
            assert answer.status_code == 405 or answer.headers["Location"].startswith("/accounts/login/?next="), name


def test_a_nul_is_refused_in_a_form_too(world: World, address: Callable[[str], str]) -> None:
    own = _browser(people.person(world.society, "administrator"))
    for name in ("licensing:licence_suspend", "royalties:run_decide"):
        assert own.post(address(name), {"reason": "a\x00b"}).status_code == 400


def test_the_own_pages_open(world: World, address: Callable[[str], str]) -> None:
    """Without this, the tests above could pass on addresses that lead nowhere."""
    own = _browser(people.person(world.society, "administrator"))
    answered = {name: own.get(address(name)).status_code for name in ABOUT_AN_OBJECT}
    opened = {name for name, status in answered.items() if status in (200, 302)}
    acts = {name for name, status in answered.items() if status == 405}
    acts_of_firms = ("amend", "attach", "cancel", "discard", "do_without", "resume", "submit", "upload_cancel")
    licensee = {f"licensing:declaration_{act}" for act in acts_of_firms} | {"licensing:question_answer"}
    licensee |= {f"licensing:case_{act}" for act in ("accept", "dispute", "point")}
    licensee |= {"licensing:reservation_notice_acknowledge", "licensing:duty_nil"}
    steps = ("uses", "term", "figures", "check", "withdraw")
    licensee |= {f"licensing:licence_request_{step}" for step in steps} | {
        "licensing:licence_renew",
        "licensing:licence_amend",
    }
    licensee |= {"licensing:licence_signed_copy", "licensing:ready_done"}  # of one that both sides signed
    elsewhere = licensee | {"licensing:tariff_decide", "licensing:comment_moderate"}  # the latter a rate body's
    elsewhere |= {
        "licensing:claim_make",
        "licensing:mandate_take_back",
        "licensing:registration_change",
    }  # a member's own
    elsewhere |= {"royalties:my_payee_change", "royalties:my_payee_stop"}
    elsewhere |= {"licensing:import_answer"}  # of a CWR file alone
    assert set(ABOUT_AN_OBJECT) - opened - acts == elsewhere
    assert len(opened) > 25 and len(acts) > 15


def _both_ask(
    world: World, address: Callable[[str], str], asked: Callable[[int], dict[str, str]]
) -> Iterator[tuple[str, int]]:
    """(name, status) of every page as a society and a creator get it; `asked` gives the parameters of each of the two."""
    society = _browser(people.person(world.society, "administrator"))
    creator = _browser(User.objects.get(pk=world.member("H-A").user_id))
    for name, keys in sorted(ROUTES.items()):
        if "token" not in keys and name != "healthz":  # which tells of services, not of addresses
            for place, client in enumerate((society, creator)):
                yield name, client.get(address(name), asked(place)).status_code


@pytest.mark.parametrize("turn", range(0, len(HOSTILE), 2), ids=str)
def test_no_address_makes_a_page_crash(world: World, address: Callable[[str], str], turn: int) -> None:
    """Over the turns each parameter gets each text: from the society, or from the creator one place on."""

    def asked(place: int) -> dict[str, str]:
        return {key: HOSTILE[(n + place + turn) % len(HOSTILE)] for n, key in enumerate(ASKED)}

    for name, status in _both_ask(world, address, asked):
        assert status < 500, name


def test_no_null_character_reaches_the_database(world: World, address: Callable[[str], str]) -> None:
    for name, status in _both_ask(world, address, lambda _place: dict.fromkeys(ASKED, "a\x00b")):
        assert status < 500, name


@pytest.mark.parametrize("number", ["9" * 19, "9" * 4400], ids=len)
def test_no_number_makes_a_page_crash(world: World, address: Callable[[str], str], number: str) -> None:
    own = _browser(people.person(world.society, "administrator"))
    for name in ABOUT_AN_OBJECT:
        known = "/".join(number if part.isdigit() else part for part in address(name).split("/"))
        for answer in (own.get(known), own.post(known, FILLED)):
            assert answer.status_code in (403, 404, 405), (name, answer.status_code)
