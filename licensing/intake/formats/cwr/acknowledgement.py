"""The acknowledgement (ACK) that answers a CWR file: one transaction a registration, with the messages that explain it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from licensing.intake.core import Limits
from licensing.intake.formats.cwr import layout
from licensing.intake.formats.cwr.envelope import Envelope, Header, Transaction

ACCEPTED, CHANGED, CONFLICT, NO_PARTICIPATION, REJECTED = "AS", "AC", "CO", "NP", "RJ"


@dataclass(frozen=True, slots=True)
class Message:
    """Why something was refused: the record's number in its transaction and its type. `whole`: the whole transaction was."""

    record: int
    record_type: str
    text: str
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one registration."""

    group: int
    transaction: int
    type: str
    title: str
    number: str
    recipient_number: str
    status: str
    messages: tuple[Message, ...] = field(default=())


def write(out: IO[bytes], *, sender: Header, answered: Header, at: dt.datetime, answers: Iterable[Answer]) -> int:
    """Write the acknowledgement, in CWR 2.1 and UTF-8, lines ended by CR LF; returns how many transactions it has."""
    day, hour = f"{at:%Y%m%d}", f"{at:%H%M%S}"
    records = transactions = 0

    def put(line: str) -> None:
        nonlocal records
        records += 1
        out.write(line.encode() + b"\r\n")

    put(
        layout.record(
            "HDR", layout.HDR, sender_type=sender.type, sender_id=sender.id, sender_name=sender.name, edi_version="01.10",
            created_on=day, created_at=hour, sent_on=day, character_set="UTF-8",
        )
    )  # fmt: skip
    put(layout.record("GRH", layout.GRH, type="ACK", id=1, version="02.10", batch=0) + "  ")
    for number, answer in enumerate(answers):
        transactions += 1
        put(
            layout.record(
                "ACK", layout.ACK, number, 0, created_on=answered.created_on, created_at=answered.created_at,
                group=answer.group, transaction=answer.transaction, type=answer.type, title=answer.title, number=answer.number,
                recipient_number=answer.recipient_number, processed_on=day, status=answer.status,
            )
        )  # fmt: skip
        for place, message in enumerate(answer.messages, 1):
            put(
                layout.record(
                    "MSG", layout.MSG, number, place, type="T" if message.whole else "R", record=message.record,
                    record_type=message.record_type, level="T" if message.whole else "R", validation=0, text=message.text,
                )
            )  # fmt: skip
    records += 1
    out.write(layout.record("GRT", layout.GRT, id=1, transactions=transactions, records=records - 1).encode() + b"\r\n")
    records += 1
    out.write(layout.record("TRL", layout.TRL, groups=1, transactions=transactions, records=records).encode() + b"\r\n")
    return transactions


def read(path: Path, limits: Limits) -> Iterator[Answer]:
    """The answers of an acknowledgement; its form and counts are held to the same rules as those of works."""
    for transaction in Envelope(path, limits).transactions():
        if transaction.kind == "ACK":
            yield _answer(transaction)


def _answer(transaction: Transaction) -> Answer:
    said = layout.fields(layout.ACK, transaction.records[0].text)
    messages = []
    for record in transaction.records[1:]:
        if record.kind == "MSG":
            told = layout.fields(layout.MSG, record.text)
            whole = told["type"] == "T"
            messages.append(Message(int(told["record"]), told["record_type"], told["text"], whole))
    return Answer(
        group=int(said["group"]), transaction=int(said["transaction"]), type=said["type"], title=said["title"],
        number=said["number"], recipient_number=said["recipient_number"], status=said["status"], messages=tuple(messages),
    )  # fmt: skip
