"""What the header of an ELF program says about who loads it: elf(5), System V ABI, chapters 4 and 5."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

MAGIC: Final = b"\x7fELF"
_PT_INTERP: Final = 3
_PT_NOTE: Final = 4
_MAX_SEGMENTS: Final = 256
_MAX_SEGMENT_BYTES: Final = 4096

# e_machine and what follows up to e_phnum; a segment's p_type, p_offset and p_filesz are picked from its header.
_HEADER: Final = {32: "HHIIIIIHHH", 64: "HHIQQQIHHH"}
_SEGMENT: Final = {32: "IIIIIIII", 64: "IIQQQQQQ"}
_OFFSET_AND_SIZE: Final = {32: (1, 4), 64: (2, 5)}


@dataclass(frozen=True, slots=True)
class Elf:
    """An ELF file.

    Args:
        bits: 32 or 64.
        order: ``<`` (little-endian) or ``>``.
        machine: The processor's number (`e_machine`).
        interpreter: The dynamic loader's path; empty for what is statically linked, and for libraries.
        is_go: Whether Go's linker made it.
    """

    bits: int
    order: str
    machine: int
    interpreter: str
    is_go: bool

    @property
    def kind(self) -> tuple[int, str, int]:
        """What must be the same for one file to be loaded into another's process."""
        return self.bits, self.order, self.machine


def read_elf(path: Path) -> Elf | None:
    """Return what the header says; None when the file is no ELF or a broken one.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        try:
            return _read(file)
        except (struct.error, KeyError):
            return None


def _read(file: BinaryIO) -> Elf | None:
    ident = file.read(16)
    if len(ident) != 16 or ident[:4] != MAGIC:
        return None
    bits, order = {1: 32, 2: 64}[ident[4]], {1: "<", 2: ">"}[ident[5]]
    layout = order + _HEADER[bits]
    _, machine, _, _, segments_at, _, _, _, segment_bytes, segments = struct.unpack(
        layout, file.read(struct.calcsize(layout))
    )
    interpreter, is_go = "", False
    for kind, content in _segments(file, bits, order, segments_at, segment_bytes, min(segments, _MAX_SEGMENTS)):
        if kind == _PT_INTERP:
            interpreter = content.split(b"\0")[0].decode("utf-8", "replace")
        elif kind == _PT_NOTE and b"\x04\0\0\0Go\0\0" in content:
            is_go = True
    return Elf(bits, order, machine, interpreter, is_go)


def _segments(
    file: BinaryIO, bits: int, order: str, at: int, header_bytes: int, count: int
) -> Iterator[tuple[int, bytes]]:
    layout = order + _SEGMENT[bits]
    for index in range(count):
        file.seek(at + index * header_bytes)
        header = struct.unpack(layout, file.read(struct.calcsize(layout)))
        if header[0] in (_PT_INTERP, _PT_NOTE):
            offset, size = (header[place] for place in _OFFSET_AND_SIZE[bits])
            file.seek(offset)
            yield header[0], file.read(min(size, _MAX_SEGMENT_BYTES))
