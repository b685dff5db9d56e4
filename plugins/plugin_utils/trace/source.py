# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files as a stream of UTF-8 bytes, however they are written or packed, in bounded memory."""

from __future__ import annotations

import codecs
import gzip
import io
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

BLOCK = 1 << 18
_SIGNATURE = 1024
_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"
_ENCODINGS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BINARY_NAMES = (".etl", ".cache")


class NotReadable(Exception):
    """A file that is no text; the text is a sentence for people, without the file's name."""


class CutOff(Exception):
    """A compressed file ends too early; what came before has been handed out."""


@dataclass(frozen=True)
class Source:
    """One stream: a file, or a member of an archive."""

    path: Path
    member: str | None = None

    @property
    def name(self) -> str:
        return str(self.path) if self.member is None else f"{self.path}!{self.member}"

    @property
    def stem(self) -> str:
        """The name without its folder and endings: all that tells the server where records do not."""
        name = self.path.name if self.member is None else self.member.replace("\\", "/").rpartition("/")[2]
        return name.removesuffix(".gz").partition(".")[0] or name


def sources(path: Path) -> list[Source]:
    """What a file holds: itself, or the members of a ZIP archive. Raises NotReadable."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise NotReadable("It is neither a file nor a folder.")
        with path.open("rb") as file:
            magic = file.read(len(_ZIP))
        if magic not in (_ZIP, _EMPTY_ZIP):
            return [Source(path)]
        with zipfile.ZipFile(path) as archive:
            return [Source(path, member.filename) for member in archive.infolist() if not member.is_dir()]
    except OSError as error:
        raise NotReadable(f"It cannot be read: {error.strerror or error}.") from None
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        # zipfile raises the last for a version of the format that it does not know.
        raise NotReadable("It is a ZIP archive that is damaged or cut off; pack it again.") from None


def size_of(path: Path) -> int:
    """How large it is as it stands; what cannot be looked at has no size."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def blocks(source: Source) -> Iterator[bytes]:
    """The text in UTF-8, a block at a time. Raises NotReadable, and CutOff after what could be unpacked."""
    try:
        with source.path.open("rb") as file:
            yield from _decoded(_unpacked(file, source), source)
    except OSError as error:
        raise NotReadable(f"It cannot be read: {error.strerror or error}.") from None


def _unpacked(file: io.BufferedReader, source: Source) -> Iterator[bytes]:
    try:
        if source.member is not None:
            with zipfile.ZipFile(file) as archive:
                info = archive.getinfo(source.member)
                if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise NotReadable("It is packed by a method that is not read here; use Deflate.")
                if info.flag_bits & 1:
                    raise NotReadable("It is protected by a password; unpack it first.")
                with archive.open(info) as member:
                    yield from _read(cast(zipfile.ZipExtFile, member))
            return
        start = file.read(len(_GZIP))
        file.seek(0)
        if start == _GZIP:
            with gzip.GzipFile(fileobj=file) as packed:
                yield from _read(packed)
        else:
            yield from _read(file)
    except (EOFError, zlib.error, zipfile.BadZipFile, gzip.BadGzipFile, KeyError) as error:
        raise CutOff("It is compressed, and damaged or cut off; what came before has been read.") from error


def _read(file: io.BufferedIOBase) -> Iterator[bytes]:
    # What is read otherwise is lost where a packed file is cut off.
    while block := file.read1(BLOCK):
        yield block


def _decoded(stream: Iterator[bytes], source: Source) -> Iterator[bytes]:
    first = next(stream, b"")
    encoding = _encoding(first[:_SIGNATURE], source)
    if encoding is None:
        yield first
        yield from stream
        return
    bom, name = encoding
    first = first[len(bom) :]
    if name == "utf-8":
        yield first
        yield from stream
        return
    decoder = codecs.getincrementaldecoder(name)("replace")
    yield decoder.decode(first).encode("utf-8", "replace")
    for block in stream:
        yield decoder.decode(block).encode("utf-8", "replace")
    yield decoder.decode(b"", final=True).encode("utf-8", "replace")


def _encoding(start: bytes, source: Source) -> tuple[bytes, str] | None:
    """The byte order mark and the encoding; None for any that writes ASCII as it is. Raises NotReadable."""
    for bom, name in _ENCODINGS:
        if start.startswith(bom):
            return bom, name
    nulls = start.count(0)
    if not nulls:
        return None
    # Traces are nearly all ASCII, so that UTF-16 without a mark has a zero in nearly every second byte.
    half = len(start) // 2
    if len(start) >= 4:
        for name, zeros in (("utf-16-le", start[1::2]), ("utf-16-be", start[0::2])):
            if zeros.count(0) >= 0.9 * half and nulls - zeros.count(0) <= 0.01 * half:
                return b"", name
    if (source.member or source.path.name).lower().endswith(_BINARY_NAMES):
        raise NotReadable("It is a binary trace; convert it with OCSLogger or Search-CsClsLogging first.")
    raise NotReadable(
        "It is binary, no text. A binary trace is converted with OCSLogger or Search-CsClsLogging first."
    )
