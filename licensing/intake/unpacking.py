"""Bytes of a received file, unpacked in a bounded stream and cut into whole lines."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

import zstandard

from accounts.identity.core import Refusal, say
from licensing.intake.core import Limits

CHUNK = 1 << 20
# Small files may be packed better than any ratio allows without doing harm.
_HARMLESS = 64 * 1024 * 1024
_WINDOW = 1 << 27  # the largest zstd window that we unpack: 128 MiB


def chunks(path: Path, packing: str | None, limits: Limits) -> Iterator[bytes]:
    """The file's unpacked bytes in pieces of at most 1 MiB.

    Raises Refusal `damaged_archive` for truncated or corrupt packing, `too_large` past either bound of `limits`.
    """
    bound = min(limits.unpacked_bytes, max(_HARMLESS, limits.ratio * path.stat().st_size))
    seen = 0
    with path.open("rb") as packed:
        source = _opened(packed, packing)
        while True:
            try:
                piece = source.read(CHUNK)
            except (EOFError, gzip.BadGzipFile, zlib.error, zstandard.ZstdError, MemoryError) as failure:
                raise Refusal(
                    "damaged_archive", say("The file is truncated or damaged and cannot be unpacked. Pack it again.")
                ) from failure
            if not piece:
                return
            seen += len(piece)
            if packing and seen > bound:
                raise Refusal(
                    "too_large", say("Unpacked, the file is larger than {bound} bytes. Split it.", bound=bound)
                )
            if limits.watch is not None:
                limits.watch(packed.tell())
            yield piece


def _opened(packed: IO[bytes], packing: str | None) -> IO[bytes]:
    if packing == "gz":
        return cast(IO[bytes], gzip.GzipFile(fileobj=packed))
    if packing == "zst":
        return cast(IO[bytes], _Frames(packed))
    return packed


class _Frames:
    """All frames of a zstd file; unlike the library's own reader, it notices when the last one is cut off."""

    def __init__(self, packed: IO[bytes]) -> None:
        self._packed = packed
        self._unpacker = zstandard.ZstdDecompressor(max_window_size=_WINDOW)
        self._frame = self._unpacker.decompressobj()
        self._rest = b""
        self._open = False

    def read(self, size: int) -> bytes:
        """At least `size` bytes, unless the file ends; 32 MiB more at most, as 4 packed bytes give 128 KiB."""
        out: list[bytes] = []
        have = 0
        while have < size:
            data = self._rest or self._packed.read(1024)
            self._rest = b""
            if not data:
                if self._open:
                    raise EOFError
                break
            self._open = True
            out.append(self._frame.decompress(data))
            have += len(out[-1])
            if self._frame.eof:
                self._rest = self._frame.unused_data
                self._frame, self._open = self._unpacker.decompressobj(), False
        return b"".join(out)


def lines(pieces: Iterator[bytes], *, longest: int = CHUNK) -> Iterator[bytes]:
    """Blocks of whole lines (the last may lack its end); a line over `longest` bytes comes alone, cut to that."""
    carry, skipping = b"", False
    for piece in pieces:
        if skipping:
            cut = piece.find(b"\n")
            if cut < 0:
                continue
            piece, skipping = piece[cut + 1 :], False
        first, end = piece.find(b"\n"), piece.rfind(b"\n") + 1
        if end and len(carry) + first > longest:
            yield (carry + piece[:first])[:longest] + b"\n"
            carry, piece, end = b"", piece[first + 1 :], end - first - 1
        if end:
            yield b"".join((carry, memoryview(piece)[:end]))
            carry = piece[end:]
        else:
            carry += piece
        if len(carry) > longest:
            yield carry[:longest] + b"\n"
            carry, skipping = b"", True
    if carry:
        yield carry
