import io

import pytest

from checkfirst.errors import Problem
from checkfirst.sources.knowngood.text import Text
from tests.sources.knowngood.made import digests

ONE, TWO = digests(2)
A, B = ONE.hex(), TWO.hex()


def read(content: bytes | str) -> tuple[list[bytes], list[str]]:
    text = content.encode() if isinstance(content, str) else content
    source = Text(io.BytesIO(text), "list.txt", len(text))
    chunks = list(source.chunks())
    assert sum(chunk.size for chunk in chunks) == len(text.removeprefix(b"\xef\xbb\xbf"))
    assert not any(chunk.bad for chunk in chunks)
    return [digest for chunk in chunks for digest in chunk.good], source.remarks()


@pytest.mark.parametrize(
    "text",
    [
        f"{A}\n{B}\n",
        f"{A}\n{B}",
        f"{A.upper()}\n{B}\n",
        f"{A}\r\n{B}\r\n",
        f"\ufeff{A}\n{B}\n",
        f"# mine\n\n{A}  # a tool\n   {B}\n",
        f"{A}  some file.iso\n{B} *other.exe\n",
        f"\\{A}  with\\nnewline\n{B}  x\n",
        f'"{A}","x.exe",5\n"{B}","y.exe",6\n',
        f"{A},x.exe,5\n{B};y.exe;6\n",
        f"SHA256 (a (1).iso) = {A}\nSHA2-256(b)= {B}\n",
        f"{A}\t1\n{B}|2\n",
    ],
)
def test_all_usual_ways_to_write_them(text):
    assert read(text) == ([ONE, TWO], [])


def test_lines_without_a_hash_are_passed_over_and_named():
    lines = ["SHA-256", A, A[:-1], f"{A}0", "d41d8cd98f00b204e9800998ecf8427e", B, "x", "y", "z"]
    found, (remark,) = read("\n".join(lines))
    assert found == [ONE, TWO]
    assert remark == "list.txt: 7 lines have no SHA-256 and were passed over (1, 3, 4, 5, 7, …)"


def test_the_number_of_a_line_is_right_after_many_regular_ones():
    hashes = digests(40_000)
    text = "".join(f"{digest.hex()}\n" for digest in hashes) + f"oops\n{A}\n"
    found, (remark,) = read(text)
    assert found == [*hashes, ONE]
    assert "1 line has no SHA-256 and was passed over (40001)" in remark


@pytest.mark.parametrize(
    "lines",
    [
        [A[:62] + "  ", B],  # blanks that bytes.fromhex would pass over
        [A[:60], B + "abcd"],  # too short and too long: together the right length
        ["g" * 64, B],
    ],
)
def test_lines_of_the_right_length_are_looked_at_closely(lines):
    other = digests(3)[2]
    found, remarks = read("".join(f"{line}\n" for line in [*lines, other.hex()]))
    assert ONE not in found
    assert found[-1] == other
    assert len(remarks) == 1


def test_a_hash_cut_by_the_border_of_two_blocks_is_whole():
    hashes = digests(20_000)
    found, _ = read("".join(f"{digest.hex()}  name {n}\n" for n, digest in enumerate(hashes)))
    assert found == hashes


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "there is no SHA-256 in it"),
        (b"# nothing\n", "there is no SHA-256 in it"),
        (b"d41d8cd98f00b204e9800998ecf8427e\n", "it seems to hold MD5 or SHA-1"),
        (b'"da39a3ee5e6b4b0d3255bfef95601890afd80709","x"\n', "it seems to hold MD5 or SHA-1"),
        (b"\xff\xfe" + f"{A}\n".encode("utf-16-le"), "there is no SHA-256 in it"),
        (bytes(3 * 1024 * 1024), "it is no text of lines"),
    ],
)
def test_what_is_no_list_is_a_problem(content, told):
    with pytest.raises(Problem, match=told):
        read(content)


def test_a_disk_that_fails_is_a_problem():
    class Broken(io.BytesIO):
        def read(self, *_):
            raise OSError(5, "Input/output error")

    with pytest.raises(Problem, match="Input/output error"):
        list(Text(Broken(), "x", None).chunks())
