"""What a licence obliges to, as data: the values that its standard terms name and that programs act on. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Self

from accounts.identity.core import Refusal, gettext_noop
from licensing.tariffs.reading import BadDocument, Problem, Reader, loads

PERIODS: Final = (1, 3, 6, 12, 24, 36, 60)  # months that a reporting period may have
MOST_DAYS: Final = 3_650
_SUMMARY: Final = gettext_noop("These conditions cannot be used. Problems found: {count}.")


@dataclass(frozen=True, slots=True)
class Conditions:
    """The duties of a licensee. None: the licence does not limit or ask for it. All periods in days or months.

    `output_limit`: the most characters of one work that an output may repeat in a row. `reporting_months`: the length of
    a reporting period, counted from the first day of the term; None: nothing has to be declared.
    """

    retention_days: int | None = 365  # how long copies of works may be kept
    output_limit: int | None = 200
    sublicensing: bool = False
    deletion_days: int | None = 30  # after the end, to delete what is left of the works
    audit_notice_days: int | None = 14  # between the society's notice and its audit; None: no right of audit
    reporting_months: int | None = 3
    report_within_days: int = 30  # after a reporting period
    suspension_days: int = 60  # after an invoice was due, until the licence may be suspended
    renewal_notice_days: int = 60  # before the end, to ask for a renewal

    def as_data(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """The conditions that were kept; what is not named has its usual value."""
        return cls(**{field.name: data[field.name] for field in fields(cls) if field.name in data})


def read_text(text: str | bytes) -> Any:
    """The JSON of conditions; raises BadDocument where it is not JSON."""

    def refuse(code: str, template: str) -> Refusal:
        return BadDocument("invalid_conditions", _SUMMARY, [Problem("", code, template, {})])

    return loads(text, refuse)


def parse(document: Any) -> Conditions:
    """Conditions as somebody wrote them, checked; raises BadDocument with every problem and its JSON pointer."""
    reader = Reader()
    body = reader.object(document, "", required=(), optional=[field.name for field in fields(Conditions)])
    values: dict[str, Any] = {}
    for name, value in (body or {}).items():
        pointer = f"/{name}"
        if name == "sublicensing":
            if not isinstance(value, bool):
                reader.fail(pointer, "not_a_boolean", gettext_noop("Write true or false."))
        elif value is None and name in _OPTIONAL:
            pass
        elif name == "reporting_months":
            if type(value) is not int or value not in PERIODS:
                reader.fail(
                    pointer,
                    "unknown_period",
                    gettext_noop("A reporting period has one of these lengths in months: {known}."),
                    known=", ".join(map(str, PERIODS)),
                )
        else:
            reader.integer(value, pointer, least=0, most=1_000_000 if name == "output_limit" else MOST_DAYS)
        values[name] = value
    if reader.problems:
        raise BadDocument("invalid_conditions", _SUMMARY, reader.problems)
    return Conditions(**values)


_OPTIONAL: Final = ("retention_days", "output_limit", "deletion_days", "audit_notice_days", "reporting_months")
