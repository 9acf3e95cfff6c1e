"""What a person hears of files that a file manager did not get opened."""

from checkfirst.cli.unopened import notice, tell_blocking
from checkfirst.errors import FileProblem
from checkfirst.model import Action, Decision
from checkfirst.service.checking import Judged, Looked
from tests.fakes.notifier import RecordingNotifier


def judged(name: bytes, action: Action, reason: str = "because") -> Judged:
    return Judged(Looked(name, b"/" + name), None, Decision(action, reason))


def test_what_was_opened_tells_itself():
    assert notice([judged(b"a", Action.RELEASE)], []) is None


def test_a_stopped_file_is_told_with_its_reason():
    told = notice([judged(b"/d/a.exe", Action.QUARANTINE), judged(b"b", Action.RELEASE)], [])
    assert told is not None
    assert (told.title, told.body) == ("checkfirst stopped a file", "a.exe: because")
    assert told.is_grave


def test_a_file_that_could_not_be_judged_is_told_too():
    told = notice([judged(b"a", Action.WAIT, "VirusTotal cannot be reached")], [])
    assert told is not None
    assert told.title == "checkfirst did not open it"
    assert told.body == "a: VirusTotal cannot be reached"
    assert not told.is_grave


def test_a_program_that_is_missing_is_told():
    problem = FileProblem("There is no xdg-open", about="a")
    told = notice([judged(b"a", Action.RELEASE)], [problem])
    assert told is not None
    assert (told.title, told.body) == ("checkfirst could not open it", "There is no xdg-open: a")


def test_many_are_counted_and_hostile_names_are_shown_printable():
    files = [judged(b"\x1b[31m\n%d" % n, Action.QUARANTINE) for n in range(9)]
    told = notice(files, [])
    assert told is not None
    lines = told.body.split("\n")
    assert lines[-1] == "and 4 more"
    assert len(lines) == 6
    assert all(line.isprintable() for line in lines)


def test_a_desktop_that_cannot_is_no_error():
    told = notice([judged(b"a", Action.WAIT)], [])
    assert told is not None
    notifier = RecordingNotifier(why_not="there is none")
    tell_blocking(told, notifier)
    assert (notifier.shown, notifier.closed) == ([], 1)
    notifier = RecordingNotifier()
    tell_blocking(told, notifier)
    assert notifier.shown == [told]
