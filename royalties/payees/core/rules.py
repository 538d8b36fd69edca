"""A tax rule as a JSON document: read strictly, so that a misspelt key never becomes a silent default."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from accounts.identity.core import Refusal, say

MAX_BYTES: Final = 1_000_000
_REQUIRED: Final = ("rule", "version", "jurisdiction", "income", "applies_to", "valid_from", "taxes", "sources")
_OPTIONAL: Final = (
    "name",
    "valid_to",
    "expense_percent",
    "exempt_up_to",
    "not_collected_below",
    "truncate_to",
    "treaties",
)
_CATEGORIES: Final = ("kr_business", "kr_other", "kr_organisation", "non_resident", "us_foreign", "us_undocumented")
_PERCENT = re.compile(r"(?:100(?:\.0{1,6})?|[0-9]{1,2}(?:\.[0-9]{1,6})?)")
_REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MOST = 10**15


@dataclass(frozen=True, slots=True)
class TaxTerm:
    """One tax: a part of the income, or of another tax that stands before it."""

    name: str
    rate: Fraction
    of: str = ""


@dataclass(frozen=True, slots=True)
class TreatyRate:
    """What a treaty allows for royalties of copyright: a part of the payment, and whether local tax is included."""

    rate: Fraction
    local_included: bool


@dataclass(frozen=True, slots=True)
class Source:
    """Where the law says so."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class TaxRule:
    """A rule as the calculation needs it. Amounts are minor units by currency, rates exact fractions."""

    ref: str
    version: int
    name: str
    jurisdiction: str
    income: str
    applies_to: str
    valid_from: datetime.date
    valid_to: datetime.date | None
    expense: Fraction
    exempt_up_to: Mapping[str, int]
    not_collected_below: Mapping[str, int]
    truncate_to: Mapping[str, int]
    taxes: tuple[TaxTerm, ...]
    treaties_allowed: bool
    treaties: Mapping[str, TreatyRate]
    sources: tuple[Source, ...]

    def counts(self, on: datetime.date) -> bool:
        return self.valid_from <= on and (self.valid_to is None or on < self.valid_to)

    def step(self, currency: str) -> int:
        return self.truncate_to.get(currency, 1)


def read_text(data: str | bytes) -> Any:
    """A document from a file: UTF-8 JSON, no key twice, no number that JSON does not know. Raises Refusal."""
    if len(data) > MAX_BYTES:
        raise Refusal("too_large", say("A tax rule has at most {most:,} bytes.", most=MAX_BYTES))
    try:
        text = data if isinstance(data, str) else data.decode("utf-8-sig")
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Refusal("not_json", say("The file is not a JSON document: {error}.", error=error)) from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _value in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(say("the key “{key}” stands twice", key=twice))
    return found


def _no_number(text: str) -> Any:
    raise ValueError(say("{text} is no number", text=text))


def parse(document: Any) -> TaxRule:
    """Read a rule's document; raises one Refusal that lists every fault with its JSON pointer."""
    return _Reader().rule(document)


class _Reader:
    """Collects faults instead of stopping at the first, so that a person corrects a file once."""

    def __init__(self) -> None:
        self.errors: list[dict[str, str]] = []

    def fault(self, pointer: str, detail: str, code: str = "invalid") -> None:
        self.errors.append({"pointer": pointer, "code": code, "detail": detail})

    def rule(self, document: Any) -> TaxRule:
        if not isinstance(document, dict):
            raise Refusal("invalid_rule", say("A tax rule is one JSON object."), pointer="")
        self.keys(document, "", _REQUIRED, _OPTIONAL)
        since = self.date(document, "valid_from")
        until = self.date(document, "valid_to") if document.get("valid_to") is not None else None
        if since and until and until <= since:
            self.fault("/valid_to", say("The end is exclusive and must lie after valid_from."))
        read = TaxRule(
            ref=self.matching(document.get("rule", "x"), "/rule", _REF),
            version=self.integer(document.get("version", 1), "/version", 1, 2_147_483_647),
            name=self.text(document.get("name", ""), "/name", least=0),
            jurisdiction=self.matching(document.get("jurisdiction", "XX"), "/jurisdiction", re.compile("[A-Z]{2}")),
            income=self.text(document.get("income", "x"), "/income"),
            applies_to=self.category(document.get("applies_to", _CATEGORIES[0])),
            valid_from=since or datetime.date.min,
            valid_to=until,
            expense=self.percent(document.get("expense_percent", "0"), "/expense_percent"),
            exempt_up_to=self.amounts(document.get("exempt_up_to", {}), "/exempt_up_to"),
            not_collected_below=self.amounts(document.get("not_collected_below", {}), "/not_collected_below"),
            truncate_to=self.amounts(document.get("truncate_to", {}), "/truncate_to", least=1),
            taxes=self.taxes(document.get("taxes", [])),
            treaties_allowed="treaties" in document,
            treaties=self.treaties(document.get("treaties", {})),
            sources=self.sources(document.get("sources", [])),
        )
        if self.errors:
            first = self.errors[0]
            said = f"{first['pointer'] or '/'}: {first['detail']}"
            if more := len(self.errors) - 1:
                said = say("{fault} ({more} more)", fault=said, more=more)
            raise Refusal("invalid_rule", said, errors=self.errors)
        return read

    def keys(
        self, found: dict[str, Any], pointer: str, required: tuple[str, ...], optional: tuple[str, ...] = ()
    ) -> None:
        known = ", ".join(required + optional)
        for key in found:
            if key not in required and key not in optional:
                self.fault(
                    f"{pointer}/{_escape(key)}", say("Unknown key. Known are {known}.", known=known), "unknown_key"
                )
        for key in required:
            if key not in found:
                self.fault(f"{pointer}/{key}", say("This key is missing."), "missing")

    def matching(self, value: Any, pointer: str, form: re.Pattern[str]) -> str:
        if not isinstance(value, str) or not form.fullmatch(value):
            self.fault(pointer, say("The value has not the form that it must have here."))
            return ""
        return value

    def text(self, value: Any, pointer: str, *, least: int = 1) -> str:
        if not isinstance(value, str) or not least <= len(value) <= 500 or value != value.strip():
            self.fault(pointer, say("Give text of at most 500 characters without blanks around it."))
            return ""
        return value

    def date(self, document: dict[str, Any], key: str) -> datetime.date | None:
        value = document.get(key)
        if key in document:
            try:
                if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
                    raise ValueError
                return datetime.date.fromisoformat(value)
            except ValueError:
                self.fault(f"/{key}", say("Write a day as YYYY-MM-DD."))
        return None

    def integer(self, value: Any, pointer: str, least: int, most: int) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.fault(pointer, say("Give an integer from {least} to {most}.", least=least, most=most))
            return least
        return value

    def percent(self, value: Any, pointer: str) -> Fraction:
        if not isinstance(value, str) or not _PERCENT.fullmatch(value):
            detail = 'Give a percentage from "0" to "100" as text with at most six decimals, such as "12.5".'
            self.fault(pointer, say(detail))
            return Fraction(0)
        return Fraction(value) / 100

    def amounts(self, value: Any, pointer: str, *, least: int = 0) -> Mapping[str, int]:
        """Whole minor units by currency."""
        if not isinstance(value, dict):
            self.fault(pointer, say("Give an object of currency and whole amount in minor units."))
            return {}
        for code in value:
            if not re.fullmatch("[A-Z]{3}", code):
                self.fault(f"{pointer}/{_escape(code)}", say("Write a currency as three letters, such as KRW."))
        return {code: self.integer(each, f"{pointer}/{_escape(code)}", least, _MOST) for code, each in value.items()}

    def category(self, value: Any) -> str:
        if value not in _CATEGORIES:
            self.fault("/applies_to", say("Give one of {known}.", known=", ".join(_CATEGORIES)))
            return ""
        return str(value)

    def taxes(self, value: Any) -> tuple[TaxTerm, ...]:
        """In the order in which they are reckoned; an empty list says that nothing is withheld."""
        if not isinstance(value, list) or len(value) > 10:
            self.fault("/taxes", say("Give a list of at most 10 taxes."))
            return ()
        read: list[TaxTerm] = []
        for place, item in enumerate(value):
            pointer = f"/taxes/{place}"
            if not isinstance(item, dict):
                self.fault(pointer, say("A tax is an object with name and percent."))
                continue
            self.keys(item, pointer, ("name", "percent"), ("of",))
            name, of = self.text(item.get("name", "x"), f"{pointer}/name"), item.get("of", "")
            before = {tax.name for tax in read}
            if name in before:
                self.fault(f"{pointer}/name", say("Two taxes have this name."), "duplicate")
            if of and of not in before:
                self.fault(f"{pointer}/of", say("A tax is of the income or of a tax that stands before it."))
                of = ""
            read.append(TaxTerm(name, self.percent(item.get("percent", "0"), f"{pointer}/percent"), of))
        if sum((tax.rate for tax in read if not tax.of), Fraction(0)) > Fraction(1, 2):
            self.fault(
                "/taxes", say("The taxes on the income take more than half of it: that is no rate of withholding.")
            )
        if any(tax.of == "" for tax in read[1:]) or any(tax.of and tax.of != read[0].name for tax in read):
            self.fault("/taxes", say("The first tax is of the income, every other of the first."))
        return tuple(read)

    def treaties(self, value: Any) -> Mapping[str, TreatyRate]:
        if not isinstance(value, dict):
            self.fault("/treaties", say("Give an object of country and rate."))
            return {}
        read: dict[str, TreatyRate] = {}
        for country, item in value.items():
            pointer = f"/treaties/{_escape(country)}"
            if not re.fullmatch("[A-Z]{2}", country) or not isinstance(item, dict):
                self.fault(pointer, say("Give the rate of a country of two letters as an object."))
                continue
            self.keys(item, pointer, ("percent", "local_tax_included", "article"))
            included = item.get("local_tax_included", True)
            if not isinstance(included, bool):
                self.fault(f"{pointer}/local_tax_included", say("Say true or false."))
            self.text(item.get("article", "x"), f"{pointer}/article")
            read[country] = TreatyRate(self.percent(item.get("percent", "0"), f"{pointer}/percent"), bool(included))
        return read

    def sources(self, value: Any) -> tuple[Source, ...]:
        if not isinstance(value, list) or not value:
            self.fault("/sources", say("Name at least one source of the law."))
            return ()
        read = []
        for place, item in enumerate(value):
            pointer = f"/sources/{place}"
            if not isinstance(item, dict):
                self.fault(pointer, say("A source is an object with name and url."))
                continue
            self.keys(item, pointer, ("name", "url"))
            url = self.text(item.get("url", "https://x"), f"{pointer}/url")
            if url and not url.startswith("https://"):
                self.fault(f"{pointer}/url", say("An address begins with https://."))
            read.append(Source(self.text(item.get("name", "x"), f"{pointer}/name"), url))
        return tuple(read)


def _escape(key: str) -> str:
    """A key as a JSON pointer writes it (RFC 6901)."""
    return str(key).replace("~", "~0").replace("/", "~1")
