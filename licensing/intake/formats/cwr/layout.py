"""Where the fields of CWR 2.1 and 2.2 records stand: (first column from 0, columns). Both versions agree on all we read."""

from __future__ import annotations

from typing import Final

Layout = dict[str, tuple[int, int]]

VERSIONS: Final = {"02.10": "2.1", "02.20": "2.2"}
PREFIX: Final = 19  # record type, transaction number, record number: before the fields of every record of a transaction

HDR: Final[Layout] = {
    "sender_type": (3, 2), "sender_id": (5, 9), "sender_name": (14, 45), "edi_version": (59, 5), "created_on": (64, 8),
    "created_at": (72, 6), "sent_on": (78, 8), "character_set": (86, 15),
}  # fmt: skip
GRH: Final[Layout] = {"type": (3, 3), "id": (6, 5), "version": (11, 5), "batch": (16, 10)}
GRT: Final[Layout] = {"id": (3, 5), "transactions": (8, 8), "records": (16, 8)}
TRL: Final[Layout] = {"groups": (3, 5), "transactions": (8, 8), "records": (16, 8)}

WORK: Final[Layout] = {
    "title": (19, 60), "language": (79, 2), "number": (81, 14), "iswc": (95, 11), "copyright_on": (106, 8),
    "printed_on": (200, 8),
}  # fmt: skip
PUBLISHER: Final[Layout] = {
    "sequence": (19, 2), "party": (21, 9), "name": (30, 45), "unknown": (75, 1), "type": (76, 2), "ipi": (87, 11),
    "pr_society": (112, 3), "pr_share": (115, 5), "mr_share": (123, 5), "sr_share": (131, 5),
}  # fmt: skip
WRITER: Final[Layout] = {
    "party": (19, 9), "name": (28, 45), "first_name": (73, 30), "unknown": (103, 1), "type": (104, 2), "ipi": (115, 11),
    "pr_society": (126, 3), "pr_share": (129, 5), "mr_share": (137, 5), "sr_share": (145, 5),
}  # fmt: skip
ALT: Final[Layout] = {"title": (19, 60), "type": (79, 2), "language": (81, 2)}
NAT: Final[Layout] = {"title": (19, 640), "type": (659, 2), "language": (661, 2)}
REC: Final[Layout] = {"released_on": (19, 8), "isrc": (249, 12)}
XRF: Final[Layout] = {"organisation": (19, 3), "identifier": (22, 14), "type": (36, 1), "validity": (37, 1)}

ACK: Final[Layout] = {
    "created_on": (19, 8), "created_at": (27, 6), "group": (33, 5), "transaction": (38, 8), "type": (46, 3), "title": (49, 60),
    "number": (109, 20), "recipient_number": (129, 20), "processed_on": (149, 8), "status": (157, 2),
}  # fmt: skip
MSG: Final[Layout] = {
    "type": (19, 1), "record": (20, 8), "record_type": (28, 3), "level": (31, 1), "validation": (32, 3), "text": (35, 150),
}  # fmt: skip

# Whole widths, by which a file in an encoding of several bytes shows whether it counts bytes or characters.
WIDTHS: Final[dict[str, tuple[int, ...]]] = {
    "NWR": (260,), "REV": (260,), "SPU": (180, 182, 183), "OPU": (180, 182, 183), "SWR": (176, 179, 180), "OWR": (176, 179, 180),
    "ALT": (83,), "PER": (118,), "NAT": (663,),
}  # fmt: skip

WORK_RECORDS: Final = frozenset({"NWR", "REV"})
# Of a work's records, those that say nothing we keep. What is neither here nor read is no record of CWR 2.
PASSED_OVER: Final = frozenset({
    "SPT", "OPT", "SWT", "OWT", "PWR", "PER", "EWT", "VER", "COM", "NPN", "NPR", "NWN", "NPA", "NET", "NCT", "NVT", "NOW",
    "INS", "IND", "ORN", "ARI", "TER", "MSG", "NPW",
})  # fmt: skip


def fields(layout: Layout, text: str) -> dict[str, str]:
    """The fields of a record, without the blanks around them."""
    return {name: text[at : at + size].strip() for name, (at, size) in layout.items()}


def field(layout: Layout, name: str, text: str) -> str:
    at, size = layout[name]
    return text[at : at + size].strip()


def record(kind: str, layout: Layout, transaction: int | None = None, number: int = 0, /, **values: str | int) -> str:
    """A record of these values, each cut or filled to its width: digits from the left, text to the right."""
    head = kind if transaction is None else f"{kind}{transaction:08}{number:08}"
    width = max(at + size for at, size in layout.values())
    line = [*head.ljust(width)]
    for name, value in values.items():
        at, size = layout[name]
        text = f"{value:0{size}}" if isinstance(value, int) else str(value).ljust(size)
        line[at : at + size] = text[:size]
    return "".join(line)
