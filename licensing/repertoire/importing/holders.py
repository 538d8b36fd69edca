"""The holders file."""

from __future__ import annotations

from functools import cache

from babel import Locale

from accounts.identity.core import Actor, gettext_noop
from accounts.organisations.models import Organisation
from licensing.intake.core import TableSpec
from licensing.intake.importing import ImportResult, Stage, check_society, merge, staged
from licensing.intake.models import Import, StoredFile
from licensing.repertoire.importing.normalising import normalised
from licensing.repertoire.models import Holder

SPEC = TableSpec(
    required=("holder_ref", "name"),
    optional=("name_ko", "kind", "ipi", "isni", "email", "country", "tax_status"),
)
TAX_STATUSES = ("kr_business", "kr_other", "kr_organisation", "non_resident", "exempt")

UNKNOWN_KIND = gettext_noop("a holder is a person or an organisation")
NOT_AN_EMAIL = gettext_noop("not an e-mail address")
UNKNOWN_COUNTRY = gettext_noop("write a country as two letters, such as KR")
UNKNOWN_TAX_STATUS = gettext_noop("unknown tax status")

_SIZES = {"holder_ref": 64, "name": 300, "name_ko": 300, "email": 254}


def import_holders(
    *, actor: Actor, society: Organisation, file: StoredFile, record_in: Import | None = None
) -> ImportResult:
    """Create and update the society's holders by `holder_ref`; columns that the file lacks keep their values."""
    check_society(actor, society, "works.import")
    with staged(society=society, stored=file, kind=Import.Kind.HOLDERS, spec=SPEC, record_in=record_in) as stage:
        stage.tidy(SPEC.columns)
        stage.engine.execute(
            "UPDATE incoming SET kind = lower(kind), country = upper(country), tax_status = lower(tax_status)"
        )
        stage.required("holder_ref", "name")
        stage.longest(_SIZES)
        _check(stage)
        stage.once("holder_ref")
        values = {"name": "name", "kind": f"coalesce(kind, '{Holder.Kind.PERSON}')"}
        values |= {c: f"coalesce({c}, '')" for c in SPEC.optional if c != "kind"}
        stage.copy(
            "incoming_holder",
            {"row": "bigint", "ref": "varchar"} | dict.fromkeys(values, "varchar"),
            f"SELECT row, holder_ref, {', '.join(values.values())} FROM incoming",
        )
        have = [column for column in values if stage.has(column)]
        defaults = {c: f"'{Holder.Kind.PERSON}'" if c == "kind" else "''" for c in values if c not in have}
        created, updated = merge(
            table="licensing_holder",
            staged_table="incoming_holder",
            society_id=society.pk,
            values=have,
            insert=defaults,
        )
        return stage.finish(actor, created=created, updated=updated)


@cache
def countries() -> frozenset[str]:
    """The two-letter codes of ISO 3166-1."""
    codes = [str(code) for code in Locale.parse("en").territories]
    return frozenset(code for code in codes if len(code) == 2 and code.isalpha())


def _check(stage: Stage) -> None:
    kinds = ", ".join(f"'{kind}'" for kind in Holder.Kind.values)
    stage.reject("kind", f"kind NOT IN ({kinds})", UNKNOWN_KIND)
    stage.reject(
        "email", 'NOT regexp_full_match(email, \'[^@\\s,;<>"]+@[^@\\s,;<>"]+\\.[^@\\s,;<>".]+\')', NOT_AN_EMAIL
    )
    known = ", ".join(f"'{code}'" for code in countries())
    stage.reject("country", f"country NOT IN ({known})", UNKNOWN_COUNTRY)
    stage.reject("tax_status", f"tax_status NOT IN {TAX_STATUSES}", UNKNOWN_TAX_STATUS)
    normalised(
        stage.engine,
        "SELECT DISTINCT 'ipi', ipi FROM incoming WHERE ipi IS NOT NULL "
        "UNION ALL SELECT DISTINCT 'isni', isni FROM incoming WHERE isni IS NOT NULL",
        into="number",
    )
    for scheme in ("ipi", "isni"):
        stage.reject_rows(
            f"SELECT i.row, '{scheme}', i.{scheme}, n.reason FROM incoming i JOIN number n "
            f"ON n.scheme = '{scheme}' AND n.text = i.{scheme} WHERE n.reason IS NOT NULL"
        )
        stage.engine.execute(
            f"UPDATE incoming SET {scheme} = n.value FROM number n "
            f"WHERE n.scheme = '{scheme}' AND n.text = incoming.{scheme}"
        )
