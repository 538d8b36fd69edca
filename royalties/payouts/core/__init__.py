"""The pure half of payouts: what a payment is made of, the order to the bank, its rules, and the bank's answer."""

from royalties.payouts.core.order import A_PART, Order, Party, Transfer, message_id
from royalties.payouts.core.payments import Digest, Share, Tax, end_to_end_id, next_day, shares

__all__ = [
    "A_PART",
    "Digest",
    "Order",
    "Party",
    "Share",
    "Tax",
    "Transfer",
    "end_to_end_id",
    "message_id",
    "next_day",
    "shares",
]
