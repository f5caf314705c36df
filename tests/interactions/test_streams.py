"""Lines out of streams: in constant memory, whatever is packed into them."""

import gzip
import io
import subprocess
import sys

import pytest
import zstandard

from interactions import streams

BOMB = """
import io, sys
from interactions import streams

def peak():  # in kB, of this process alone: what getrusage tells begins at its parent's
    return int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))

packed = open(sys.argv[1], "rb").read()
before = peak()
count, told = 0, ""
try:
    for line in streams.lines(streams.unpacked(io.BytesIO(packed).read, sys.argv[2]), max_total=300 * 2**20):
        count += 1
except streams.StreamError as error:
    told = str(error)
print(count, (peak() - before) // 1024, told)
"""


def gzip_bomb():
    file = io.BytesIO()
    with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=1) as packer:
        for _ in range(400):
            packer.write(bytes(2**20))
    return file.getvalue()


def zstd_bomb():
    packer = zstandard.ZstdCompressor(level=1).compressobj()
    return b"".join(packer.compress(bytes(2**20)) for _ in range(400)) + packer.flush()


def unpacked_apart(packed, encoding, path):
    """(how many lines, by how many MB a process grew, what it was told) of a stream."""
    path.write_bytes(packed)
    done = subprocess.run([sys.executable, "-c", BOMB, path, encoding], capture_output=True, text=True, check=True)
    lines, megabytes, told = done.stdout.split(" ", 2)
    return int(lines), int(megabytes), told.strip()


@pytest.mark.parametrize(("encoding", "bomb"), [("gzip", gzip_bomb), ("zstd", zstd_bomb)])
def test_a_bomb_is_given_up_in_bounded_memory(tmp_path, encoding, bomb):
    lines, megabytes, told = unpacked_apart(bomb(), encoding, tmp_path / "bomb")
    assert (lines, told[:19]) == (0, "The batch is larger")
    assert megabytes < 120


@pytest.mark.parametrize(
    ("raw", "count", "told"),
    [(b"\n" * 30_000_000, 0, "There is more than 1 MB of blank lines"), ((b"\n" * 60_000 + b"x\n") * 500, 500, "")],
    ids=["blank lines alone", "with a line now and then"],
)
def test_blank_lines_by_the_million_take_no_memory(tmp_path, raw, count, told):
    packed = zstandard.ZstdCompressor(level=19).compress(raw)
    assert len(packed) < 4_000
    lines, megabytes, said = unpacked_apart(packed, "zstd", tmp_path / "blank")
    assert (lines, said.startswith(told), bool(said)) == (count, True, bool(told))
    assert megabytes < 40


def lines(*chunks, **options):
    return [(line.number, line.text) for line in streams.lines(chunks, **options)]


def test_lines_are_put_together_across_chunks():
    assert lines(b"a", b"b\nc", b"\n\n", b"d") == [(1, b"ab"), (2, b"c"), (4, b"d")]
    assert lines() == lines(b"") == lines(b"\n \r\n") == []


def test_lines_are_counted_through_runs_of_blank_ones():
    assert lines(b"\n \n\t\r\n a\n\n\n  ", b"\n\nb\n\n ", b"c\n", b"\n", b"d") == [
        (4, b" a"), (9, b"b"), (11, b" c"), (13, b"d"),
    ]  # fmt: skip


def test_a_line_that_is_too_long_is_passed_over(monkeypatch):
    monkeypatch.setattr(streams, "MAX_LINE", 5)
    assert lines(b"12345\n123456\n1", b"2345678", b"90\n7\n") == [(1, b"12345"), (2, None), (3, None), (4, b"7")]
    assert lines(b"123", b"456") == [(1, None)]


def test_a_stream_that_goes_on_and_on_is_given_up():
    with pytest.raises(streams.TooMuch):
        lines(b"x\n" * 10, b"x\n" * 10, max_total=30)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
@pytest.mark.parametrize("cut", [1, 5, 30, -1])
def test_packing_that_is_cut_off_is_told(encoding, cut):
    packed = {"gzip": gzip.compress, "zstd": zstandard.ZstdCompressor(write_checksum=True).compress}[encoding](
        bytes(range(256)) * 40
    )
    with pytest.raises(streams.StreamError, match=encoding):
        list(streams.unpacked(io.BytesIO(packed[:cut]).read, encoding))


def test_rubbish_after_the_packing_is_told():
    for encoding, packed in (("gzip", gzip.compress(b"a")), ("zstd", zstandard.ZstdCompressor().compress(b"a"))):
        with pytest.raises(streams.StreamError, match=encoding):
            list(streams.unpacked(io.BytesIO(packed + b"rubbish").read, encoding))
