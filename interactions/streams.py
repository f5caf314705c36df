"""Records out of a stream of lines, plain or packed, in constant memory. Knows neither HTTP nor the database."""

import gzip
import zlib
from dataclasses import dataclass

import zstandard

MAX_LINE = 32 * 1024 * 1024  # bytes of one record
MAX_TOTAL = 2 * 1024**3  # bytes of a batch after unpacking
_CHUNK = 64 * 1024
# a zstd block of four bytes may become 128 kB: little goes in at a time, so that a bomb cannot come out at once
_ZSTD_CHUNK = 1024
CUT_OFF = "The body ended before it was whole."
ENCODINGS = ("identity", "gzip", "zstd")


class StreamError(ValueError):
    """The stream itself cannot be read on; what came before it stands."""


class TooMuch(StreamError):
    """The stream unpacks to more than is taken at once."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line that holds something: its number from 1, and its bytes, None where it was too long."""

    number: int
    text: bytes | None


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
    rest, number, total, too_long = bytearray(), 0, 0, False
    for chunk in chunks:
        total += len(chunk)
        if total > max_total:
            raise TooMuch(f"The batch is larger than {max_total // 1024**3} GB after unpacking; send it in parts.")
        *whole, tail = chunk.split(b"\n")
        for piece in whole:
            number += 1
            text = None if too_long or len(rest) + len(piece) > MAX_LINE else bytes(rest) + piece
            rest, too_long = bytearray(), False
            if text is None or text.strip():
                yield Line(number, text)
        rest += tail
        if len(rest) > MAX_LINE:
            rest, too_long = bytearray(), True
    if too_long or rest.strip():
        yield Line(number + 1, None if too_long else bytes(rest))


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
