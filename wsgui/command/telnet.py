"""The server's side of telnet, for a program on a terminal of ours: it hides what is not typed, and learns the size.

RFC 854 (commands, NVT), RFC 855 (options), RFC 856 (BINARY), RFC 857 (ECHO), RFC 858 (SUPPRESS-GO-AHEAD), RFC 1073
(NAWS). The state of an option is kept as RFC 1143 has it, so that no two sides answer each other for ever. What the
client's terminal is called (RFC 1091) is not asked: the program runs by then, and nothing of a client is put into its
environment.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

SE: Final = 240
NOP: Final = 241
BREAK: Final = 243
INTERRUPT_PROCESS: Final = 244
ABORT_OUTPUT: Final = 245
ARE_YOU_THERE: Final = 246
ERASE_CHARACTER: Final = 247
ERASE_LINE: Final = 248
SB: Final = 250
WILL: Final = 251
WONT: Final = 252
DO: Final = 253
DONT: Final = 254
IAC: Final = 255

# RFC 1184, section 2.5
END_OF_FILE: Final = 236
SUSPEND: Final = 237
ABORT: Final = 238

BINARY: Final = 0
ECHO: Final = 1
SUPPRESS_GO_AHEAD: Final = 3
NAWS: Final = 31

MAX_COLUMNS: Final = 1000
MAX_ROWS: Final = 500
"""A larger window is taken as one of this size: programs keep a cell for each place."""
MAX_SUBNEGOTIATION: Final = 64
MAX_REPLIES: Final = 512
"""So many times a client is answered; an honest one asks a dozen times, and nothing piles up for one that floods."""

_TYPED: Final = {
    BREAK: b"\x03",
    INTERRUPT_PROCESS: b"\x03",
    ERASE_CHARACTER: b"\x7f",
    ERASE_LINE: b"\x15",
    END_OF_FILE: b"\x04",
    SUSPEND: b"\x1a",
    ABORT: b"\x1c",
}
"""A command that stands for a key → what a new terminal takes as that key (termios(3))."""

_WE_DO: Final = frozenset({ECHO, SUPPRESS_GO_AHEAD, BINARY})
_CLIENT_DOES: Final = frozenset({NAWS, SUPPRESS_GO_AHEAD, BINARY})


@dataclass(frozen=True, slots=True)
class Received:
    """What some bytes of a client came to.

    Args:
        data: What was typed.
        sizes: Windows that the client said to have: columns and rows, in the order in which they came.
        replies: What it is to be answered, as bytes that are not encoded any more.
    """

    data: bytes
    sizes: tuple[tuple[int, int], ...]
    replies: bytes


class _State(Enum):
    DATA = auto()
    RETURN = auto()
    COMMAND = auto()
    OPTION = auto()
    PARAMETERS = auto()
    PARAMETERS_COMMAND = auto()


class TelnetServer:
    """One connection's telnet; sans-I/O. Bytes of a client that speaks none pass as they are, but for CR LF and IAC."""

    opening: Final = bytes((IAC, WILL, ECHO, IAC, WILL, SUPPRESS_GO_AHEAD, IAC, DO, NAWS))
    """What a server of characters says first (RFC 857, section 5)."""

    def __init__(self) -> None:
        self._state = _State.DATA
        self._verb = 0
        self._parameters = bytearray()
        # Options as agreed, and those that were offered by us and are not answered yet (RFC 1143: WANTYES).
        self._ours: set[int] = set()
        self._theirs: set[int] = set()
        self._ours_offered = {ECHO, SUPPRESS_GO_AHEAD}
        self._theirs_asked = {NAWS}
        self._refused: set[tuple[int, int]] = set()
        self._replies_left = MAX_REPLIES
        self._after_return = False

    # From the client

    def feed(self, data: bytes | memoryview) -> Received:
        """Return what `data` comes to, however the client's bytes were split."""
        data = bytes(data)
        if self._state is _State.DATA and IAC not in data and b"\r" not in data:
            return Received(data, (), b"")
        typed, replies = bytearray(), bytearray()
        sizes: list[tuple[int, int]] = []
        at, end = 0, len(data)
        while at < end:
            if self._state is _State.DATA:
                stop = self._next_special(data, at)
                typed += data[at:stop]
                at = stop
                if at == end:
                    break
                if data[at] == IAC:
                    self._state = _State.COMMAND
                else:
                    typed.append(data[at])
                    self._state = _State.RETURN
                at += 1
                continue
            byte = data[at]
            if self._state is _State.RETURN:
                # RFC 854: CR NUL is a bare return; CR LF is a new line, for which a terminal's key sends a return.
                self._state = _State.DATA
                at += byte in b"\0\n"
                continue
            at += 1
            if self._state is _State.COMMAND:
                self._command(byte, typed, replies)
            elif self._state is _State.OPTION:
                self._state = _State.DATA
                replies += self._negotiate(self._verb, byte)
            elif self._state is _State.PARAMETERS:
                if byte == IAC:
                    self._state = _State.PARAMETERS_COMMAND
                else:
                    self._keep(byte)
            elif byte == SE:
                self._state = _State.DATA
                if (size := self._size()) is not None:
                    sizes.append(size)
            elif byte == IAC:
                self._state = _State.PARAMETERS
                self._keep(IAC)
            else:
                # No end came, but another command.
                self._state = _State.COMMAND
                self._command(byte, typed, replies)
        return Received(bytes(typed), tuple(sizes), bytes(replies))

    def _next_special(self, data: bytes, at: int) -> int:
        found = data.find(IAC, at)
        stop = len(data) if found < 0 else found
        if BINARY not in self._theirs and (found := data.find(b"\r", at, stop)) >= 0:
            return found
        return stop

    def _command(self, byte: int, typed: bytearray, replies: bytearray) -> None:
        self._state = _State.DATA
        if byte == IAC:
            typed.append(IAC)
        elif byte in (WILL, WONT, DO, DONT):
            self._state = _State.OPTION
            self._verb = byte
        elif byte == SB:
            self._state = _State.PARAMETERS
            self._parameters.clear()
        elif byte == ARE_YOU_THERE:
            replies += self._reply(b"\r\n[Yes]\r\n")
        else:
            typed += _TYPED.get(byte, b"")

    def _keep(self, byte: int) -> None:
        if len(self._parameters) <= MAX_SUBNEGOTIATION:
            self._parameters.append(byte)

    def _size(self) -> tuple[int, int] | None:
        option, *rest = self._parameters or b"\0"
        if option != NAWS or len(rest) != 4 or NAWS not in self._theirs:
            return None
        columns, rows = rest[0] << 8 | rest[1], rest[2] << 8 | rest[3]
        if not columns or not rows:  # RFC 1073: the client leaves it to us
            return None
        return min(columns, MAX_COLUMNS), min(rows, MAX_ROWS)

    def _negotiate(self, verb: int, option: int) -> bytes:
        if verb in (DO, DONT):
            return self._agree(verb == DO, option, self._ours, self._ours_offered, _WE_DO, (WILL, WONT))
        return self._agree(verb == WILL, option, self._theirs, self._theirs_asked, _CLIENT_DOES, (DO, DONT))

    def _agree(
        self,
        on: bool,
        option: int,
        agreed: set[int],
        open_offers: set[int],
        supported: frozenset[int],
        answers: tuple[int, int],
    ) -> bytes:
        """Note what the client says of an option; the answer is empty where it only answers us or repeats itself."""
        yes, no = answers
        if option in open_offers:
            open_offers.discard(option)
            if on:
                agreed.add(option)
            return b""
        if on == (option in agreed):
            return b""
        if not on:
            agreed.discard(option)
            return self._reply(bytes((IAC, no, option)))
        if option in supported:
            agreed.add(option)
            return self._reply(bytes((IAC, yes, option)))
        if (no, option) in self._refused:
            return b""
        self._refused.add((no, option))
        return self._reply(bytes((IAC, no, option)))

    def _reply(self, reply: bytes) -> bytes:
        if not self._replies_left:
            return b""
        self._replies_left -= 1
        return reply

    # To the client

    def encode(self, data: bytes) -> bytes:
        """Return what the program says as the client is sent it: IAC doubled, a bare return followed by NUL."""
        bare_return_before = self._after_return
        self._after_return = False
        if IAC in data:
            data = data.replace(b"\xff", b"\xff\xff")
        if BINARY in self._ours:
            return data
        if b"\r" in data:
            # The last one's successor is not known yet.
            self._after_return = data.endswith(b"\r")
            data = data.replace(b"\r", b"\r\0").replace(b"\r\0\n", b"\r\n")
            if self._after_return:
                data = data[:-1]
        if bare_return_before and not data.startswith(b"\n"):
            return b"\0" + data if data else self._still_after_return()
        return data

    def _still_after_return(self) -> bytes:
        self._after_return = True
        return b""
