"""Bank accounts as payees write them: checked, in one form, and masked where people see them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from stdnum import iban as iban_numbers
from stdnum.exceptions import InvalidChecksum, InvalidComponent, ValidationError

from accounts.identity.core import gettext_noop

# Banks of Korea by the three digits of the payment system (금융결제원, 금융회사 공동코드).
BANKS: Final = {
    "002": "산업은행", "003": "기업은행", "004": "국민은행", "007": "수협은행", "008": "수출입은행", "011": "농협은행", "012": "농축협",
    "020": "우리은행", "023": "SC제일은행", "027": "한국씨티은행", "031": "아이엠뱅크", "032": "부산은행", "034": "광주은행",
    "035": "제주은행",
    "037": "전북은행", "039": "경남은행", "045": "새마을금고", "048": "신협", "050": "저축은행", "064": "산림조합", "071": "우체국",
    "081": "하나은행", "088": "신한은행", "089": "케이뱅크", "090": "카카오뱅크", "092": "토스뱅크",
}  # fmt: skip
_BY_NAME: Final = {name.removesuffix("은행"): code for code, name in BANKS.items()} | {
    "kdb산업": "002", "ibk기업": "003", "ibk": "003", "kb국민": "004", "kb": "004", "수협": "007", "nh농협": "011", "nh": "011",
    "농협": "011", "제일": "023", "sc": "023", "씨티": "027", "대구": "031", "im뱅크": "031", "mg새마을금고": "045", "kakaobank": "090",
    "tossbank": "092", "kbank": "089", "hana": "081", "shinhan": "088", "woori": "020",
}  # fmt: skip
_BIC: Final = re.compile(r"[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?")

IBAN_CHECK_DIGITS = gettext_noop("the check digits of the IBAN do not fit: look for a mistyped character")
IBAN_FORM = gettext_noop("not an IBAN of that country")
KOREAN_DIGITS = gettext_noop("a Korean account number has 10 to 16 digits")
ACCOUNT_FORM = gettext_noop("an account number has 4 to 34 letters and digits")
UNKNOWN_BANK = gettext_noop("unknown bank: give its three-digit code, its name or its BIC")
BIC_FORM = gettext_noop("a BIC has 8 or 11 characters, such as NACFKRSE")
BANK_NEEDED = gettext_noop("say at which bank the account is")
BIC_COUNTRY = gettext_noop("the BIC belongs to another country than the IBAN")


class BadAccount(ValueError):
    """What is wrong with an account, in which field; the reason is a fixed phrase."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column, self.reason = column, reason


@dataclass(frozen=True, slots=True)
class Account:
    """An account in the one form that is kept: `account` without blanks or hyphens; `bank` three digits in Korea.

    `kind` is `iban`, `kr` (a Korean account: no IBAN, digits and bank code) or `other` (number and BIC). Its text shows
    the last four characters only, so that no log and no error page shows more.
    """

    kind: str
    account: str = field(repr=False)
    bank: str = field(default="", repr=False)
    bic: str = field(default="", repr=False)
    holder_name: str = field(default="", repr=False)

    @property
    def iban(self) -> str:
        return self.account if self.kind == "iban" else ""

    @property
    def bank_name(self) -> str:
        return BANKS.get(self.bank, self.bank)

    @property
    def country(self) -> str:
        if self.kind == "kr":
            return "KR"
        return self.account[:2] if self.kind == "iban" else self.bic[4:6]

    @property
    def last4(self) -> str:
        return self.account[-4:]

    def __str__(self) -> str:
        return masked(self.last4)


def masked(last4: str) -> str:
    """
    >>> masked("7890")
    '••••7890'
    """
    return f"••••{last4}" if last4 else ""


def account_from(*, account: str, bank: str = "", bic: str = "", holder_name: str = "", residence: str = "") -> Account:
    """An account as somebody wrote it, checked and in normal form. Raises BadAccount.

    An IBAN is known by its letters and checked by ISO 13616 (mod 97). What is all digits is Korean where the bank is, or
    where the payee lives in Korea; everything else needs a BIC.

    >>> account_from(account="110-123-456789", bank="신한은행").bank
    '088'
    >>> account_from(account="GB33 BUKB 2020 1555 5555 55").kind
    'iban'
    """
    number = re.sub(r"[\s.\-]", "", account).upper()
    place, swift = bank.strip(), re.sub(r"\s", "", bic).upper()
    if not swift and _BIC.fullmatch(place.upper()) and bank_code(place) is None:
        place, swift = "", place.upper()
    if swift and not _BIC.fullmatch(swift):
        raise BadAccount("bic" if bic else "bank", BIC_FORM)
    if re.match(r"[A-Z]{2}[0-9]{2}", number):
        return _iban(number, place, swift, holder_name)
    code = bank_code(place) if place else None
    if code or (residence == "KR" and not swift) or swift[4:6] == "KR":
        if not re.fullmatch(r"[0-9]{10,16}", number):
            raise BadAccount("account", KOREAN_DIGITS)
        if not place and not swift:
            raise BadAccount("bank", BANK_NEEDED)
        if place and code is None:
            raise BadAccount("bank", UNKNOWN_BANK)
        return Account("kr", number, code or "", swift, holder_name)
    if not re.fullmatch(r"[A-Z0-9]{4,34}", number):
        raise BadAccount("account", ACCOUNT_FORM)
    if not swift:
        raise BadAccount("bank", UNKNOWN_BANK if place else BANK_NEEDED)
    return Account("other", number, place, swift, holder_name)


def _iban(number: str, place: str, swift: str, holder_name: str) -> Account:
    try:
        number = iban_numbers.validate(number)
    except InvalidChecksum:
        raise BadAccount("account", IBAN_CHECK_DIGITS) from None
    except (InvalidComponent, ValidationError):
        raise BadAccount("account", IBAN_FORM) from None
    if swift and swift[4:6] != number[:2]:
        raise BadAccount("bic", BIC_COUNTRY)
    return Account("iban", number, place, swift, holder_name)


def bank_code(text: str) -> str | None:
    """The three digits of a Korean bank by its code or name, None for what is none.

    >>> bank_code("4"), bank_code("KB국민은행"), bank_code("Bank of Nowhere")
    ('004', '004', None)
    """
    bare = re.sub(r"\s", "", text).lower()
    if bare.isdecimal() and bare.isascii() and len(bare) <= 3:
        return bare.zfill(3) if bare.zfill(3) in BANKS else None
    return _BY_NAME.get(bare) or _BY_NAME.get(bare.removesuffix("은행").removesuffix("bank"))
