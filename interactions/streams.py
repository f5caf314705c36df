"""Records out of a stream of lines, plain or packed, in constant memory. Knows neither HTTP nor the database."""

import gzip
import re
import zlib
from dataclasses import dataclass

import zstandard

MAX_LINE = 32 * 1024 * 1024  # bytes of one record
MAX_TOTAL = 2 * 1024**3  # bytes of a batch after unpacking
MAX_BLANK = 1024 * 1024  # bytes of blank lines in a row
_CHUNK = 64 * 1024
# a zstd block of four bytes may become 128 kB: little goes in at a time, so that a bomb cannot come out at once
_ZSTD_CHUNK = 256
_BLANK = re.compile(rb"\s*\n")  # all lines that are blank from here on
CUT_OFF = "The body ended before it was whole."
ENCODINGS = ("identity", "gzip", "zstd")


class StreamError(ValueError):
    """The stream itself cannot be read on; what came before it stands."""


class TooSlow(StreamError):
    """The stream did not come on."""

    def __init__(self):
        super().__init__("The body did not come on; send it without long pauses.")


class TooMuch(StreamError):
    """The stream unpacks to more than is taken at once."""


class UnknownPacking(ValueError):
    """The body is packed in a way that is not taken."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line that holds something: its number from 1, and its bytes, None where it was too long."""

    number: int
    text: bytes | None


def packing_of(header):
    """How a body is packed, by its Content-Encoding (empty: not at all); UnknownPacking."""
    encoding = header.strip().lower() or "identity"
    if encoding not in ENCODINGS:
        raise UnknownPacking(f"Send Content-Encoding as one of {', '.join(ENCODINGS)}, or leave it out.")
    return encoding


def reading(read):
    """The same `read(size)`, whose failures are told as what they mean: StreamErrors."""

    def told(size):
        try:
            return read(size)
        except OSError as error:
            raise (TooSlow() if isinstance(error.__cause__, TimeoutError) else StreamError(CUT_OFF)) from None

    return told


def unpacked(read, encoding="identity"):
    """Chunks of bytes from `read(size)`, unpacked; StreamError where the packing is broken or cut off."""
    if encoding == "gzip":
        yield from _gunzip(read)
    elif encoding == "zstd":
        yield from _unzstd(read)
    else:
        while chunk := read(_CHUNK):
            yield chunk


def lines(chunks, max_total=MAX_TOTAL):
    """The lines of the chunks that are not blank. A line beyond the limit comes as None, its bytes passed over."""
    rest, number, blank, too_long = bytearray(), 0, 0, False
    for piece in _pieces(chunks, max_total):
        start = 0
        while (end := piece.find(b"\n", start)) >= 0:
            number += 1
            text = None if too_long or len(rest) + end - start > MAX_LINE else bytes(rest) + piece[start:end]
            start, rest, too_long = end + 1, bytearray(), False
            if text is None or text.strip():
                blank = 0
                yield Line(number, text)
                continue
            blank += len(text) + 1
            if run := _BLANK.match(piece, start):  # together, for each of them may be a single byte
                number += piece.count(b"\n", start, run.end())
                blank += run.end() - start
                start = run.end()
            if blank > MAX_BLANK:
                raise StreamError(f"There is more than {MAX_BLANK // 1024**2} MB of blank lines; send a record a line.")
        rest += piece[start:]
        if len(rest) > MAX_LINE:
            rest, too_long = bytearray(), True
    if too_long or rest.strip():
        yield Line(number + 1, None if too_long else bytes(rest))


def _pieces(chunks, max_total):
    """The chunks in pieces of bounded size, whatever came out of the packing at once; TooMuch beyond the limit."""
    total = 0
    for chunk in chunks:
        total += len(chunk)
        if total > max_total:
            raise TooMuch(f"The batch is larger than {max_total // 1024**3} GB after unpacking; send it in parts.")
        if len(chunk) <= _CHUNK:
            yield chunk
        else:
            yield from (chunk[start : start + _CHUNK] for start in range(0, len(chunk), _CHUNK))


def _gunzip(read):
    with gzip.GzipFile(fileobj=_Reader(read)) as file:
        try:
            while chunk := file.read(_CHUNK):
                yield chunk
        except (EOFError, OSError, zlib.error) as error:
            raise StreamError(f"The gzip stream is broken: {error}") from None


def _unzstd(read):
    unpacker, fed = None, b""
    try:
        while chunk := fed or read(_ZSTD_CHUNK):
            unpacker = unpacker or zstandard.ZstdDecompressor(max_window_size=2**27).decompressobj()
            if data := unpacker.decompress(chunk):
                yield data
            fed = unpacker.unused_data if unpacker.eof else b""
            unpacker = None if unpacker.eof else unpacker
    except zstandard.ZstdError as error:
        raise StreamError(f"The zstd stream is broken: {error}") from None
    if unpacker is not None:
        raise StreamError("The zstd stream is broken: it ends too early")


class _Reader:
    """A file for gzip out of a function that reads."""

    def __init__(self, read):
        self.read = read
