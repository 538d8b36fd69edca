"""CWR files written by hand, column by column as the standard's tables have them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

ISWC = "T0345246801"
ADA, BO = "00014107338", "00014238024"  # IPI name numbers with right check digits


@dataclass
class Writer:
    number: str = "W1"
    last: str = "LOVELACE"
    first: str = "ADA"
    ipi: str = ADA
    share: int = 10_000
    role: str = "CA"
    other: bool = False
    unknown: bool = False

    def record(self) -> str:
        name = f"{'':45}{'':30}Y" if self.unknown else f"{self.last:<45}{self.first:<30} "
        return (
            f"{'OWR' if self.other else 'SWR'}########@@@@@@@@{self.number:<9}{name}{self.role:<2}000000000"
            f"{self.ipi:>11}021{self.share:05}   {self.share:05}   {self.share:05} N  {'':13}{'':12} "
        )


@dataclass
class Publisher:
    number: str = "P1"
    name: str = "HOUSE OF SONGS"
    ipi: str = BO
    share: int = 5_000
    role: str = "E"

    def record(self) -> str:
        return (
            f"SPU########@@@@@@@@01{self.number:<9}{self.name:<45} {self.role:<2}000000000{self.ipi:>11}{'':14}"
            f"021{self.share:05}   10000   10000 N {'':13}{'':14}{'':14}   "
        )


@dataclass
class Song:
    number: str = "1"
    title: str = "YESTERDAY"
    parties: Sequence[Writer | Publisher] = field(default_factory=lambda: [Writer()])
    iswc: str = ""
    kind: str = "NWR"
    language: str = "EN"
    date: str = "19650806"
    titles: Sequence[str] = ()
    isrc: str = ""
    more: Sequence[str] = ()  # records as they are

    def records(self) -> list[str]:
        work = (
            f"{self.kind}########@@@@@@@@{self.title:<60}{self.language:<2}{self.number:<14}{self.iswc:<11}{self.date:<8}{'':12}"
            f"POP000205Y{'':6}ORI{'':3}{'':3}{'':3}{'':30}{'':10}  N000{'00000000'} {'':25}{'':25}N"
        )
        assert len(work) == 260
        out = [work, *(party.record() for party in self.parties)]
        out += [f"ALT########@@@@@@@@{title:<60}AT  " for title in self.titles]
        if self.isrc:
            out.append(
                f"REC########@@@@@@@@{'00000000'}{'':60}000205{'':5}{'':60}{'':60}{'':18}{'':13}{self.isrc:<12}{'':5}"
            )
        return [*out, *self.more]


HDR = f"HDRPB000123456{'BIG MUSIC PUBLISHER':<45}01.102026030112000020260301{'':15}"


def numbered(records: Iterable[str], transaction: int) -> list[str]:
    return [r.replace("#" * 8, f"{transaction:08}").replace("@" * 8, f"{n:08}") for n, r in enumerate(records)]


def file(
    *songs: Song,
    version: str = "02.10",
    header: str = HDR,
    end: str = "\r\n",
    encoding: str = "utf-8",
    group: str = "NWR",
) -> bytes:
    """One group of these songs."""
    body = [line for n, song in enumerate(songs) for line in numbered(song.records(), n)]
    lines = [header, f"GRH{group}00001{version}0000000000  ", *body]
    lines.append(f"GRT00001{len(songs):08}{len(body) + 2:08}   0000000000")
    lines.append(f"TRL00001{len(songs):08}{len(body) + 4:08}")
    return (end.join(lines) + end).encode(encoding)
