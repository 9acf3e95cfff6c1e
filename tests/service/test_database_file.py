"""A database that is taken away under our hands is told of."""

from pathlib import Path

from checkfirst.service.database_file import DatabaseFile


def test_as_long_as_it_lies_there_nothing_is_told(tmp_path: Path):
    path = tmp_path / "checkfirst.sqlite"
    path.write_bytes(b"1")
    file = DatabaseFile.of_blocking(path)
    path.write_bytes(b"grown since")
    assert file.trouble_blocking() == ""


def test_one_that_was_removed_or_replaced_is(tmp_path: Path):
    path = tmp_path / "checkfirst.sqlite"
    path.write_bytes(b"1")
    file = DatabaseFile.of_blocking(path)
    path.rename(tmp_path / "aside")
    assert f"The database was removed while checkfirst runs: {path}. " in file.trouble_blocking()
    path.write_bytes(b"another")
    assert "The database was replaced" in file.trouble_blocking()
    (tmp_path / "aside").replace(path)
    assert file.trouble_blocking() == ""
