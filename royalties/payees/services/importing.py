"""The payees file: read as every uploaded table is, checked row by row, sealed on the way, and approved as a whole.

The file is not kept, and what was refused is reported without account numbers: neither the storage nor a list of rejects
shows what the database seals.
"""

from __future__ import annotations

import datetime
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from accounts.evidence.services import record
from accounts.identity.core import Actor, Reference, gettext_noop
from accounts.organisations.models import Organisation
from licensing.engine.core import Engine
from licensing.engine.duck import connect
from licensing.intake.core import Reject, TableSpec, file_name
from licensing.intake.importing import MISSING, MOST_REJECTS, NOT_A_DATE, Stage, check_society, serialised
from licensing.intake.models import StoredFile
from licensing.intake.reading import load, refusing
from licensing.intake.services import limits
from licensing.repertoire.importing.holders import TAX_STATUSES, UNKNOWN_COUNTRY, UNKNOWN_TAX_STATUS, countries
from royalties.payees import keys
from royalties.payees.core import Account, BadAccount, account_from
from royalties.payees.models import PayeeImport, TaxPaper
from royalties.payees.services import telling
from royalties.payees.services.checking import put_checks
from royalties.payees.services.details import KIND as DETAILS
from royalties.payees.services.details import misfit
from royalties.payees.services.guards import MANAGE
from royalties.payees.services.papers import treaty_countries

SPEC = TableSpec(required=("holder_ref",), optional=("account", "bank", "residence", "tax_status", "certificate_until"))
KIND = "payee_import"
UNKNOWN_HOLDER = gettext_noop("the society has no holder of this ref")
NO_TREATY_RATE = gettext_noop(
    "no treaty rate is on record for this country: put the certificate on record with its rate"
)
NOT_ABROAD = gettext_noop("a certificate is for who is taxed outside Korea")
_DAY = datetime.timedelta(days=1)
_COLUMNS = (
    "society_id", "payee_id", "version", "currency", "residence", "tax_status", "kind", "last4", "sealed", "key_id", "fingerprint",
    "made_by_id", "by_holder", "requested_by_id", "requested_at", "status", "reason",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PayeeImportResult:
    """What an import did. Rows by outcome, and the first thousand rejects."""

    made: PayeeImport
    rejects: tuple[Reject, ...]

    def as_data(self) -> dict[str, Any]:
        names = ("read", "created", "updated", "unchanged", "rejected")
        counts = {name: getattr(self.made, name) for name in names}
        return {"import": self.made.pk} | counts | {"rejects": [reject.as_data() for reject in self.rejects]}


@dataclass(frozen=True, slots=True)
class _Known:
    """A holder as they stand: who they are, and the version (`details`) that the file would change.

    `residence` and `tax_status` are that version's, else what the register of holders says.
    """

    id: int
    kind: str
    residence: str
    tax_status: str
    payee_id: int | None = None
    version: int = 0
    details: int | None = None
    key_id: str = ""
    fingerprint: str = ""
    sealed: bytes = b""

    def account(self) -> Account | None:
        if self.details is None or self.payee_id is None:
            return None
        return keys.unseal(self.sealed, key_id=self.key_id, payee_id=self.payee_id, version=self.details)


@dataclass(slots=True)
class _Reading:
    """What the rows say, sorted by what is to be done with them."""

    rejects: list[Reject] = field(default_factory=list)
    refused: int = 0
    changes: list[tuple[_Known, Account | None, str, str]] = field(default_factory=list)
    papers: list[tuple[_Known, str, datetime.date]] = field(default_factory=list)

    def touched(self) -> set[int]:
        """The holders for whom something is asked."""
        return {known.id for known, *_rest in self.changes} | {known.id for known, *_rest in self.papers}

    def reject(self, row: int, column: str, value: str, reason: str, *, part: bool = False) -> None:
        """Report a row, or only a part of one that is taken otherwise."""
        self.refused += not part
        if len(self.rejects) < MOST_REJECTS:
            self.rejects.append(Reject(row, column, hidden(value), reason))


def import_payees(
    *, actor: Actor, society: Organisation, path: Path, name: str, screened: str = ""
) -> PayeeImportResult:
    """Ask for the details that a payees file says, by `holder_ref`. They are used once a second person approved the import.

    The same file twice changes nothing; a bad row is reported with its number and loses no good row. What is empty in a row
    stays as it is on record; residence and tax status are the holder's own where nothing else is known.
    `certificate_until` is the last day on which a treaty's certificate counts, as it is written on the paper; its rate is the
    one of the rule's table. `screened` names the list of sanctions with which all of them were compared before.
    """
    check_society(actor, society, MANAGE)
    with connect() as engine:
        with refusing():
            file = load(engine, path, spec=SPEC, limits=limits(), into="incoming")
        with transaction.atomic():
            serialised(society)
            stage = Stage(engine, file, society, StoredFile(organisation=society), KIND)
            stage.tidy(SPEC.columns)
            stage.required("holder_ref")
            stage.once("holder_ref")
            reading = _read(engine, society)
            _outside(engine, reading)
            made = PayeeImport.objects.create(
                society=society, name=file_name(name), sha256=_sha256(path), screened=screened.strip()[:200],
                requested_by_id=actor.user_id,
            )  # fmt: skip
            return _finish(actor, made, reading, stage.read)


def _finish(actor: Actor, made: PayeeImport, reading: _Reading, read: int) -> PayeeImportResult:
    rejects = tuple(sorted(reading.rejects, key=lambda each: (each.row, each.column)))[:MOST_REJECTS]
    touched = _write(actor, made, reading)
    holders = reading.touched()
    made.read, made.rejected = read, reading.refused
    made.created = sum(1 for known, *_rest in reading.changes if not known.version)
    made.updated = len(holders) - made.created
    made.unchanged = read - made.rejected - made.created - made.updated
    made.rejects = [reject.as_data() for reject in rejects]
    made.save()
    if holders:
        data = {name: getattr(made, name) for name in ("read", "created", "updated", "unchanged", "rejected", "sha256")}
        record(
            actor=actor,
            verb="payees.imported",
            object=Reference(KIND, made.pk),
            organisation_id=made.society_id,
            data=data,
        )
    if touched:
        telling.tell_of_import([known.id for known, *_rest in reading.changes], made.pk)
        telling.tell_addresses_of_import(made)
    return PayeeImportResult(made, rejects)


def _read(engine: Engine, society: Organisation) -> _Reading:
    """Each row checked and compared with what is on record."""
    reading = _Reading()
    known = {each[0]: _Known(*each[1:]) for each in _on_record(society)}
    ring, papers = {key.id: key for key in keys.ring()}, _papers_on_record(society)
    treaties = treaty_countries(society.country)
    columns = ", ".join(f'"{column}"' for column in SPEC.columns)
    for rows in engine.stream(f"SELECT row, {columns} FROM incoming ORDER BY row"):
        for row, ref, *cells in rows:
            holder = known.get(ref)
            if holder is None:
                reading.reject(row, "holder_ref", ref, UNKNOWN_HOLDER)
                continue
            said = _row(reading, row, holder, *(cell or "" for cell in cells))
            if said is None:
                continue
            number, residence, tax_status, last_day = said
            key = ring.get(holder.key_id)
            if key is None or holder.fingerprint != keys.fingerprint(number, (residence, tax_status), key):
                reading.changes.append((holder, number, residence, tax_status))
            if last_day is not None and (holder.payee_id, residence, last_day + _DAY) not in papers:
                if residence in treaties:
                    reading.papers.append((holder, residence, last_day))
                else:  # the rest of the row is taken
                    reading.reject(row, "certificate_until", last_day.isoformat(), NO_TREATY_RATE, part=True)
    return reading


class _Wrong(Exception):
    """Why a row is refused: column, what stands there, reason."""


def _row(
    reading: _Reading, row: int, holder: _Known, account: str, bank: str, residence: str, tax_status: str, until: str
) -> tuple[Account | None, str, str, datetime.date | None] | None:
    """One row's meaning, or None where it was refused."""
    try:
        residence, tax_status = _status(holder, residence, tax_status)
        last_day = _last_day(until, residence, tax_status)
        return _account(holder, account, bank, residence), residence, tax_status, last_day
    except _Wrong as wrong:
        column, value, reason = wrong.args
        reading.reject(row, column, value, reason)
        return None


def _status(holder: _Known, residence: str, tax_status: str) -> tuple[str, str]:
    residence = (residence or holder.residence).upper()
    tax_status = (tax_status or holder.tax_status).lower()
    if residence and residence not in countries():
        raise _Wrong("residence", residence, UNKNOWN_COUNTRY)
    if tax_status and tax_status not in TAX_STATUSES:
        raise _Wrong("tax_status", tax_status, UNKNOWN_TAX_STATUS)
    if tax_status and (reason := misfit(residence, tax_status, holder.kind)):
        raise _Wrong("tax_status", tax_status, reason)
    return residence, tax_status


def _last_day(until: str, residence: str, tax_status: str) -> datetime.date | None:
    if not until:
        return None
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", until):
            raise ValueError
        last_day = datetime.date.fromisoformat(until)
        _ = last_day + _DAY
    except (ValueError, OverflowError):
        raise _Wrong("certificate_until", until, NOT_A_DATE) from None
    if residence == "KR" or tax_status.startswith("kr_"):
        raise _Wrong("certificate_until", until, NOT_ABROAD)
    return last_day


def _account(holder: _Known, account: str, bank: str, residence: str) -> Account | None:
    """The account of a row; the one on record where the row has none."""
    if not account:
        if bank:
            raise _Wrong("account", "", MISSING)
        return holder.account()
    try:
        return account_from(account=account, bank=bank, residence=residence)
    except BadAccount as bad:
        column, value = ("account", account) if bad.column == "account" else ("bank", bank)
        raise _Wrong(column, value, bad.reason) from None


def _papers_on_record(society: Organisation) -> set[tuple[int, str, datetime.date | None]]:
    """The certificates that count or wait, by payee, country and first day on which they no longer do."""
    found = TaxPaper.objects.filter(society=society, status__in=("requested", "approved"))
    return {(paper.payee_id, paper.country, paper.valid.upper) for paper in found.only("payee_id", "country", "valid")}


def _on_record(society: Organisation) -> Iterator[tuple[Any, ...]]:
    """Every holder of the society with the version that an import would change: the last that was not refused or stopped."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT h.ref, h.id, h.kind, coalesce(nullif(d.residence, ''), h.country),
                 coalesce(nullif(d.tax_status, ''), h.tax_status), p.id, coalesce(v.last, 0), d.version,
                 coalesce(d.key_id, ''), coalesce(d.fingerprint, ''), coalesce(d.sealed, '')
               FROM licensing_holder h
               LEFT JOIN royalties_payee p ON p.holder_id = h.id
               LEFT JOIN (SELECT payee_id, max(version) AS last FROM royalties_payeedetails WHERE society_id = %s
                          GROUP BY payee_id) v ON v.payee_id = p.id
               LEFT JOIN (SELECT DISTINCT ON (payee_id) * FROM royalties_payeedetails
                          WHERE society_id = %s AND currency = '' AND status IN ('requested', 'approved')
                          ORDER BY payee_id, version DESC) d ON d.payee_id = p.id
               WHERE h.society_id = %s""",
            [society.pk, society.pk, society.pk],
        )
        while rows := cursor.fetchmany(10_000):
            yield from rows


def _outside(engine: Engine, reading: _Reading) -> None:
    """What the reader could not take at all, or stood there twice, without what stood there."""
    bad = engine.rows('SELECT row, any_value("column"), any_value(value), any_value(reason) FROM rejects GROUP BY row')
    for row, column, value, reason in bad:
        reading.reject(row, column or "", value or "", reason)


def hidden(value: str) -> str:
    """A refused value as it may be shown: what has as many digits as an account has, only by its end.

    >>> hidden("110-123-456789"), hidden("kr_busines")
    ('••••6789', 'kr_busines')
    """
    if sum(character.isdigit() for character in value) < 7 or re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        return value[:200]
    return f"••••{value[-4:]}"


def _write(actor: Actor, made: PayeeImport, reading: _Reading) -> int:
    """The payees, versions and certificates, by COPY. What waited for approval before gives way."""
    now, holders = timezone.now(), sorted(reading.touched())
    if not holders:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO royalties_payee (society_id, holder_id, name) SELECT %s, unnest(%s::bigint[]), '' ON CONFLICT DO NOTHING",
            [made.society_id, holders],
        )
        cursor.execute("SELECT holder_id, id FROM royalties_payee WHERE holder_id = ANY(%s) ORDER BY id", [holders])
        payees: dict[int, int] = dict(cursor.fetchall())
        changed = [payees[known.id] for known, *_rest in reading.changes]
        cursor.execute(
            "UPDATE royalties_payeedetails SET status = 'withdrawn', closed_at = %s "
            "WHERE payee_id = ANY(%s) AND society_id = %s AND currency = '' AND status = 'requested' RETURNING id",
            [now, changed, made.society_id],
        )
        gone = [str(pk) for (pk,) in cursor.fetchall()]
        cursor.execute(
            "DELETE FROM accounts_approval WHERE kind = %s AND object_kind = %s AND status = 'pending' AND object_id = ANY(%s)",
            [DETAILS, DETAILS, gone],
        )
        with cursor.copy(f"COPY royalties_payeedetails ({', '.join(_COLUMNS)}) FROM STDIN") as copy:
            for values in _versions(actor, made, reading, payees, now):
                copy.write_row(values)
        cursor.execute("SELECT id FROM royalties_payeedetails WHERE made_by_id = %s", [made.pk])
        ids = [pk for (pk,) in cursor.fetchall()]
        cursor.execute("ANALYZE royalties_payeedetails")
    if made.screened and ids:
        put_checks(ids, "clear", made.screened, "", actor)
    _put_papers(actor, made, reading, payees, now)
    return len(ids)


def _versions(
    actor: Actor, made: PayeeImport, reading: _Reading, payees: Mapping[int, int], now: datetime.datetime
) -> Iterator[tuple[Any, ...]]:
    key = keys.current()
    for known, number, residence, tax_status in reading.changes:
        payee_id, version = payees[known.id], known.version + 1
        yield (
            made.society_id, payee_id, version, "", residence, tax_status, number.kind if number else "",
            number.last4 if number else "", keys.seal(number, payee_id=payee_id, version=version, key=key), key.id,
            keys.fingerprint(number, (residence, tax_status), key), made.pk, False, actor.user_id, now, "requested", "",
        )  # fmt: skip


def _put_papers(
    actor: Actor, made: PayeeImport, reading: _Reading, payees: Mapping[int, int], now: datetime.datetime
) -> None:
    us = made.society.country == "US"
    kind = TaxPaper.Kind.W8BEN if us else TaxPaper.Kind.TREATY
    TaxPaper.objects.bulk_create(
        [
            TaxPaper(
                society_id=made.society_id, payee_id=payees[known.id], kind=kind, country=country, made_by=made,
                valid=DateRange(None, last_day + _DAY), requested_by_id=actor.user_id, requested_at=now,
            )
            for known, country, last_day in reading.papers
        ],
        batch_size=5_000,
    )  # fmt: skip


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
