"""Currencies a tariff may be in, with the decimals of their minor unit (ISO 4217). Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

_NONE: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_TWO: Final = (
    "AED AMD ANG ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CHF CNY COP CRC CUP "
    "CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR JMD "
    "KES KGS KHR KYD KZT LKR LRD LSL MAD MDL MKD MNT MOP MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB "
    "PEN PGK PHP PKR PLN QAR RON RUB SAR SBD SCR SDG SEK SGD SHP SRD SZL THB TJS TMT TOP TRY TTD TWD TZS UAH "
    "USD UYU UZS WST XCD ZAR ZMW"
)
_THREE: Final = "BHD JOD KWD LYD OMR TND"

MINOR_DIGITS: Final[dict[str, int]] = {
    code: digits for codes, digits in ((_NONE, 0), (_TWO, 2), (_THREE, 3)) for code in codes.split()
}


def major(minor: int, currency: str) -> str:
    """An amount in minor units as an exact string in major units.

    >>> major(428586, "KRW"), major(1050, "USD")
    ('428586', '10.50')
    """
    return f"{Decimal(minor).scaleb(-MINOR_DIGITS[currency]):f}"
