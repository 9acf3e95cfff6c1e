import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkfirst.watch.baseline_file import Existing, Known, read_blocking, write_blocking

numbers = st.integers(min_value=0, max_value=2**64 - 1)
known = st.builds(Known, ino=numbers, birth=numbers, dev=st.none() | numbers)
existing = st.builds(
    Existing, dev=numbers, ino=numbers, fsid=numbers, files=st.dictionaries(st.binary(), known)
)


@given(folders=st.dictionaries(st.binary(), existing))
def test_what_is_written_is_read(tmp_path_factory, folders):
    path = bytes(tmp_path_factory.mktemp("state")) + b"/file"
    write_blocking(path, folders)
    assert read_blocking(path) == folders


GOOD = {"path": "/d", "dev": 1, "ino": 2, "fsid": 3, "files": [["a", 1, 2, None]]}


@pytest.mark.parametrize(
    "folder",
    [
        7,
        {**GOOD, "path": 7},
        {**GOOD, "path": "\ud800"},
        {**GOOD, "dev": "1"},
        {**GOOD, "ino": True},
        {**GOOD, "files": {}},
        {**GOOD, "files": [["a", 1, 2]]},
        {**GOOD, "files": [["a", 1, 2.5, None]]},
    ],
)
def test_anything_odd_is_refused_as_a_whole(tmp_path, folder):
    path = tmp_path / "file"
    path.write_text(json.dumps({"layout": 1, "folders": [GOOD]}))
    assert read_blocking(bytes(path))[b"/d"].files == {b"a": Known(1, 2, None)}
    path.write_text(json.dumps({"layout": 1, "folders": [GOOD, folder]}))
    with pytest.raises(ValueError, match=r"expected|surrogates"):
        read_blocking(bytes(path))


def test_a_left_over_from_a_crash_is_no_hindrance(tmp_path):
    path = bytes(tmp_path) + b"/file"
    (tmp_path / "file.new").write_bytes(b"half")
    write_blocking(path, {})
    assert read_blocking(path) == {}
