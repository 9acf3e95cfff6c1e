import pytest

from checkfirst.settings.downloads import downloads_blocking


@pytest.mark.parametrize(
    ("content", "below_home"),
    [
        (None, "Downloads"),
        ("", "Downloads"),
        ('XDG_DOWNLOAD_DIR="$HOME/Téléchargements"\n', "Téléchargements"),
        ('# a comment\nXDG_DOWNLOAD_DIR="$HOME/a \\"b\\" \\$c"\n', 'a "b" $c'),
        ('XDG_DOWNLOAD_DIR="$HOME/"\n', "Downloads"),
        ('XDG_DOWNLOAD_DIR="$HOME"\n', "Downloads"),
        ('XDG_DOWNLOAD_DIR="relative"\n', "Downloads"),
        ("XDG_DOWNLOAD_DIR=$HOME/unquoted\n", "Downloads"),
        ('XDG_DOWNLOAD_DIR="$HOME/one"\nXDG_DOWNLOAD_DIR="$HOME/two"\n', "two"),
        ('#XDG_DOWNLOAD_DIR="$HOME/one"\n', "Downloads"),
    ],
)
def test_the_folder_that_the_desktop_calls_downloads(desk, content, below_home):
    if content is not None:
        (desk.home / ".config").mkdir()
        (desk.home / ".config/user-dirs.dirs").write_text(content)
    assert downloads_blocking(desk.environ) == desk.home / below_home


def test_an_absolute_folder_and_another_config_folder(desk):
    config = desk.folder / "config"
    config.mkdir()
    (config / "user-dirs.dirs").write_text('XDG_DOWNLOAD_DIR="/data/dl/"\n')
    environ = desk.environ | {"XDG_CONFIG_HOME": str(config)}
    assert str(downloads_blocking(environ)) == "/data/dl"
    (config / "user-dirs.dirs").unlink()
    (config / "user-dirs.dirs").mkdir()
    assert downloads_blocking(environ) == desk.home / "Downloads"
