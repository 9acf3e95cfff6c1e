import os

import pytest

from checkfirst.model import FolderHealth, Outlook, SourceHealth
from checkfirst.service.status import NAME, Snapshot, read_blocking, write_blocking

SNAPSHOT = Snapshot(
    pid=12,
    mode="normal",
    watching=(FolderHealth(b"/home/inv\xff\xfe\n", "native", healthy=True, moves="rename"),),
    sources=(SourceHealth("virustotal", 3, 2, healthy=False, problem="no key"),),
    outlook=(Outlook("ab" * 32, "waits", 77.0), Outlook("cd" * 32, "waits", None)),
    settling=4,
    problems=("something",),
)


def test_what_was_written_is_read_bytes_of_names_included(tmp_path):
    write_blocking(tmp_path, SNAPSHOT)
    assert read_blocking(tmp_path) == SNAPSHOT
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == [NAME]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"pid": 1}', '{"watching": 3}', '{"watching": [{}]}']
)
def test_nonsense_counts_as_none(tmp_path, text):
    (tmp_path / NAME).write_text(text)
    assert read_blocking(tmp_path) is None


def test_none_where_there_is_none(tmp_path):
    assert read_blocking(tmp_path) is None
