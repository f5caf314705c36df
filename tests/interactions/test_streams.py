"""Lines out of streams: in constant memory, whatever is packed into them."""

import gzip
import io
import subprocess
import sys

import pytest
import zstandard

from interactions import streams

BOMB = """
import io, resource, sys
from interactions import streams
packed = open(sys.argv[1], "rb").read()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
count, told = 0, ""
try:
    for line in streams.lines(streams.unpacked(io.BytesIO(packed).read, sys.argv[2]), max_total=300 * 2**20):
        count += 1
except streams.TooMuch as error:
    told = str(error)
print(count, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024, told)
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


@pytest.mark.parametrize(("encoding", "bomb"), [("gzip", gzip_bomb), ("zstd", zstd_bomb)])
def test_a_bomb_is_given_up_in_bounded_memory(tmp_path, encoding, bomb):
    path = tmp_path / "bomb"
    path.write_bytes(bomb())
    done = subprocess.run([sys.executable, "-c", BOMB, path, encoding], capture_output=True, text=True, check=True)
    lines, megabytes, told = done.stdout.split(" ", 2)
    assert (lines, told.strip()[:19]) == ("0", "The batch is larger")
    assert int(megabytes) < 120


def lines(*chunks, **options):
    return [(line.number, line.text) for line in streams.lines(chunks, **options)]


def test_lines_are_put_together_across_chunks():
    assert lines(b"a", b"b\nc", b"\n\n", b"d") == [(1, b"ab"), (2, b"c"), (4, b"d")]
    assert lines() == lines(b"") == lines(b"\n \r\n") == []


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
