"""What every import of a contract file does alike: read, refuse bad rows, stage the good ones in PostgreSQL, count.

An import is one transaction: all that can be taken is taken, each bad row is reported with its number, and an error
takes back everything. Imports of one society wait for each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from accounts.evidence.services import record
from accounts.identity.core import Actor, NotFound, Reference, Refusal, gettext_noop, say
from accounts.organisations.models import Organisation
from licensing.engine.core import Engine
from licensing.engine.duck import connect
from licensing.intake.core import Reject, TableSpec
from licensing.intake.models import Import, StoredFile
from licensing.intake.reading import Format, load, refusing
from licensing.intake.services import limits, path_of

MOST_REJECTS = 1000  # that are kept and shown
_FORMATS = (Import.Kind.CWR, Import.Kind.ONIX, Import.Kind.RENEWALS)  # measured to pass in so little memory
_LOCK = 0x1D  # namespace of the advisory lock by which a society's imports wait for each other

CONTRADICTS = gettext_noop("contradicts an earlier row")
MISSING = gettext_noop("a value is missing")
TOO_LONG = gettext_noop("the value is too long")
NOT_A_DATE = gettext_noop("write dates as 2026-01-31")
EMPTY_TERM = gettext_noop("the end must be later than the start")


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did: file rows by outcome, and the first thousand rejects. A row is counted once.

    A reject of a part of a row (one identifier of a work) is listed too, but its row counts as taken.
    """

    id: int
    read: int
    created: int
    updated: int
    unchanged: int
    rejected: int
    rejects: tuple[Reject, ...]

    def as_data(self) -> dict[str, Any]:
        counts = {name: getattr(self, name) for name in ("read", "created", "updated", "unchanged", "rejected")}
        return {"import": self.id} | counts | {"rejects": [r.as_data() for r in self.rejects]}


def check_society(actor: Actor, society: Organisation, permission: str) -> None:
    """Raise NotFound for another organisation's people, Forbidden for a role too small."""
    if not actor.is_system and actor.organisation_id != society.pk:
        raise NotFound(say("There is no such society."))
    actor.require(permission)
    if society.kind != Organisation.Kind.SOCIETY:
        raise Refusal("not_a_society", say("{society} is no collecting society.", society=society.ref))


def serialised(society: Organisation) -> None:
    """Wait until no other transaction writes the society's repertoire, and keep others waiting until this one ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, society.pk])


@dataclass(frozen=True, slots=True)
class Contents:
    """What a reader of another format put into `incoming` and `rejects`: the columns that it fills, what it read and
    how much of that it refused, in units of the format (transactions, products)."""

    wanted: tuple[str, ...]
    read: int
    refused: int

    @property
    def present(self) -> frozenset[str]:
        return frozenset(self.wanted)


class Stage:
    """A file's rows in the engine, as the table `incoming` (row, columns…); bad ones move to the table `rejects`."""

    def __init__(
        self, engine: Engine, file: Format | Contents, society: Organisation, stored: StoredFile, kind: str
    ) -> None:
        self.engine, self.file, self.society, self.stored, self.kind = engine, file, society, stored, kind
        self.record_in: Import | None = None
        self.answer: StoredFile | None = None
        if isinstance(file, Contents):
            self.read, self._bad_rows = file.read, file.refused
        else:
            unreadable = self._count("rejects")
            self.read, self._bad_rows = self._count("incoming") + unreadable, unreadable

    def has(self, column: str) -> bool:
        return column in self.file.present

    def tidy(self, columns: Sequence[str]) -> None:
        """Text in NFC with single blanks and none around; nothing left is NULL."""
        sets = ", ".join(
            f"\"{c}\" = nullif(trim(regexp_replace(nfc_normalize(\"{c}\"), '[\\s\\x00-\\x1f]+', ' ', 'g')), '')"
            for c in columns
        )
        self.engine.execute(f"UPDATE incoming SET {sets}")

    def reject(self, column: str, where: str, reason: str) -> None:
        """Refuse the rows of `incoming` where this SQL holds, for this reason."""
        said = reason.replace("'", "''")
        self.reject_rows(f"SELECT row, '{column}', \"{column}\", '{said}' FROM incoming WHERE {where}")

    def reject_rows(self, query: str) -> None:
        """Refuse the rows of `incoming` that a query (row, column, value, reason) names."""
        self.engine.execute(f"CREATE OR REPLACE TABLE refused AS {query}")
        if bad := self._count("(SELECT DISTINCT row FROM refused)"):
            self._bad_rows += bad
            self._note_refused()
            self.engine.execute("DELETE FROM incoming WHERE row IN (SELECT row FROM refused)")

    def reject_parts(self, query: str) -> None:
        """Report parts of rows (row, column, value, reason); the rest of the rows is taken."""
        self.engine.execute(f"CREATE OR REPLACE TABLE refused AS {query}")
        self._note_refused()

    def _note_refused(self) -> None:
        self.engine.execute("INSERT INTO rejects SELECT * FROM refused")

    def required(self, *columns: str) -> None:
        for column in columns:
            self.reject(column, f'"{column}" IS NULL', MISSING)

    def longest(self, sizes: Mapping[str, int]) -> None:
        """Refuse values of more characters."""
        for column, size in sizes.items():
            self.reject(column, f'length("{column}") > {size}', TOO_LONG)

    def dates(self, *columns: str) -> None:
        """Refuse what is no calendar day written as 2026-01-31."""
        for column in columns:
            form = f"regexp_full_match(\"{column}\", '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}')"
            day = f'TRY_CAST("{column}" AS DATE) IS NOT NULL'
            self.reject(column, f'"{column}" IS NOT NULL AND NOT ({form} AND {day})', NOT_A_DATE)

    def once(self, *key: str) -> None:
        """Keep the first row of each key; identical repeats are dropped, contradicting ones refused."""
        keys = ", ".join(f'"{c}"' for c in key)
        values = ", ".join(f'"{c}"' for c in self.file.wanted)
        self.engine.execute(
            f"""CREATE OR REPLACE TABLE later AS
            SELECT row, "{key[0]}" AS value, said IS NOT DISTINCT FROM first_value(said) OVER same AS repeats
            FROM (SELECT *, row({values}) AS said FROM incoming
                  WHERE ({keys}) IN (SELECT ({keys}) FROM incoming GROUP BY {keys} HAVING count(*) > 1))
            WINDOW same AS (PARTITION BY {keys} ORDER BY row)
            QUALIFY row_number() OVER same > 1"""
        )
        self.engine.execute("DELETE FROM incoming WHERE row IN (SELECT row FROM later WHERE repeats)")
        self.reject_rows(f"SELECT row, '{key[0]}', value, '{CONTRADICTS}' FROM later WHERE NOT repeats")

    def copy(self, table: str, columns: Mapping[str, str], query: str) -> int:
        """Make a temporary table in PostgreSQL from an engine's query; it goes with the transaction."""
        definition = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS {table}")
            cursor.execute(f"CREATE TEMP TABLE {table} ({definition}) ON COMMIT DROP")
            copied = self.engine.give(query, table, list(columns))
            cursor.execute(f"ANALYZE {table}")
        return copied

    def finish(self, actor: Actor, *, created: int, updated: int, filled: Sequence[str] = ()) -> ImportResult:
        """Write the import's record, and evidence if anything changed.

        `filled` are tables that it may have filled: PostgreSQL looks at them anew, since who asks a moment later would
        otherwise be planned for as if they were nearly empty.
        """
        if created or updated:
            with connection.cursor() as cursor:
                for table in filled:
                    cursor.execute(f"ANALYZE {table}")
        counts = {
            "read": self.read,
            "created": created,
            "updated": updated,
            "unchanged": self.read - created - updated - self._bad_rows,
            "rejected": self._bad_rows,
        }
        rejects = tuple(
            Reject(row, column or "", value or "", reason)
            for row, column, value, reason in self.engine.rows(
                'SELECT row, "column", left(value, 200), reason FROM rejects '
                f'ORDER BY row, "column", value LIMIT {MOST_REJECTS}'
            )
        )
        made = self.record_in or Import(society=self.society, kind=self.kind, file=self.stored)
        for name, count in counts.items():
            setattr(made, name, count)
        made.rejects = [reject.as_data() for reject in rejects]
        made.answer = self.answer
        made.status, made.finished_at = Import.Status.DONE, timezone.now()
        made.requested_by = made.requested_by or {"kind": actor.kind, "id": actor.id, "label": actor.label}
        made.save()
        if created or updated:
            record(
                actor=actor,
                verb=f"{self.kind}.imported",
                object=Reference("import", made.pk),
                organisation_id=self.society.pk,
                data=counts | {"sha256": self.stored.sha256},
            )
        return ImportResult(id=made.pk, rejects=rejects, **counts)

    def _count(self, table: str) -> int:
        return int(self.engine.rows(f"SELECT count(*) FROM {table}")[0][0])


@contextmanager
def staged(
    *, society: Organisation, stored: StoredFile, kind: str, spec: TableSpec, record_in: Import | None = None
) -> Iterator[Stage]:
    """Read a kept file into a stage, inside one transaction in which no other import of the society runs.

    The outcome is written to `record_in`, else to a new Import.
    """

    def read(engine: Engine, path: Path) -> Format:
        return load(engine, path, spec=spec, limits=limits(), into="incoming")

    with staged_by(read, society=society, stored=stored, kind=kind, record_in=record_in) as stage:
        yield stage


@contextmanager
def staged_by(
    read: Callable[[Engine, Path], Format | Contents],
    *,
    society: Organisation,
    stored: StoredFile,
    kind: str,
    record_in: Import | None = None,
) -> Iterator[Stage]:
    """`staged`, of a file in another format: `read` fills the tables `incoming` and `rejects`."""
    if stored.organisation_id != society.pk:
        raise NotFound(say("There is no such file."))
    with connect() as engine:
        if kind in _FORMATS:
            engine.execute(f"SET memory_limit = '{settings.IMPORT_MEMORY}'")  # what does not fit lies on the disk
        with refusing():
            file = read(engine, path_of(stored))
        with transaction.atomic():
            serialised(society)
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL work_mem = '64MB'")
            stage = Stage(engine, file, society, stored, kind)
            stage.record_in = record_in
            yield stage


def merge(
    *, table: str, staged_table: str, society_id: int, values: Sequence[str], insert: Mapping[str, str]
) -> tuple[int, int]:
    """Bring a staged table (ref, values…) into a table keyed by (society, ref); returns (created, updated).

    Rows that say the same are not touched. `values` are the columns that the file has; `insert` has SQL for the others.
    The temporary table `touched(ref)` names what was created or updated.
    """
    changed = ", ".join(f"t.{c}" for c in values), ", ".join(f"s.{c}" for c in values)
    names = ", ".join(["society_id", "ref", *values, *insert])
    chosen = ", ".join(["%s", "s.ref", *(f"s.{c}" for c in values), *insert.values()])
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS touched")
        cursor.execute("CREATE TEMP TABLE touched (ref varchar) ON COMMIT DROP")
        cursor.execute(
            f"WITH done AS (UPDATE {table} t SET {', '.join(f'{c} = s.{c}' for c in values)} FROM {staged_table} s "
            f"WHERE t.society_id = %s AND t.ref = s.ref AND ({changed[0]}) IS DISTINCT FROM ({changed[1]}) "
            "RETURNING t.ref) INSERT INTO touched SELECT ref FROM done",
            [society_id],
        )
        updated = cursor.rowcount
        cursor.execute(
            f"WITH done AS (INSERT INTO {table} ({names}) SELECT {chosen} FROM {staged_table} s WHERE NOT EXISTS "
            f"(SELECT FROM {table} t WHERE t.society_id = %s AND t.ref = s.ref) ORDER BY s.row RETURNING ref) "
            "INSERT INTO touched SELECT ref FROM done",
            [society_id, society_id],
        )
        created = cursor.rowcount
    return created, updated
