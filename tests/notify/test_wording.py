"""One notification's words, whatever came together in a burst."""

import pytest

from checkfirst.notify.news import Kind, News, wanted
from checkfirst.notify.wording import NAMED, Button, Heard, notice

PAGE = "https://www.virustotal.com/gui/file/" + "ab" * 32


def heard(*news: News, number: int | None = None) -> Heard:
    return Heard(news, len(news) if number is None else number)


def stopped(name: str = "setup.exe", report: str | bytes | None = PAGE) -> News:
    return News(Kind.QUARANTINED, f"{name}: 9 of 60 engines", report, b"/Q")


def test_one_stopped_file_is_named_and_leads_to_its_report():
    told = notice({Kind.QUARANTINED: heard(stopped())})
    assert (told.title, told.body) == ("checkfirst stopped a file", "setup.exe: 9 of 60 engines")
    assert told.button == Button("Open report", PAGE)
    assert told.is_grave


def test_a_stopped_file_without_a_page_leads_to_its_folder():
    told = notice({Kind.QUARANTINED: heard(stopped(report=b"/Q/2026-11-24 setup.exe"))})
    assert told.button == Button("Open report", b"/Q/2026-11-24 setup.exe")


def test_of_many_a_few_are_named_and_the_button_leads_to_all():
    first = [stopped(f"{n}.exe") for n in range(NAMED)]
    told = notice({Kind.QUARANTINED: heard(*first, number=100)})
    assert told.title == "checkfirst stopped 100 files"
    assert told.body.splitlines() == [*(news.text for news in first), "and 97 more"]
    assert told.button == Button("Open folder", b"/Q")


def test_the_gravest_kind_is_the_title_and_the_others_follow():
    told = notice(
        {
            Kind.RELEASED: heard(News(Kind.RELEASED, "a.pdf: nothing found")),
            Kind.PROBLEM: heard(News(Kind.PROBLEM, "The disk is full")),
            Kind.QUARANTINED: heard(stopped()),
        }
    )
    assert told.title == "checkfirst stopped a file"
    assert told.body.splitlines() == [
        "setup.exe: 9 of 60 engines",
        "checkfirst has a problem:",
        "The disk is full",
        "A file may be opened:",
        "a.pdf: nothing found",
    ]


def test_a_problem_has_nothing_to_press_and_goes_by_itself():
    told = notice({Kind.PROBLEM: heard(News(Kind.PROBLEM, "The disk is full"))})
    assert told.button is None
    assert not told.is_grave


def test_text_from_outside_is_never_in_the_title_and_never_endless():
    told = notice({Kind.QUARANTINED: heard(stopped("x" * 10_000))})
    assert "x" not in told.title
    assert len(told.body) == 200


@pytest.mark.parametrize(
    ("level", "kinds"),
    [
        ("none", set()),
        ("problems", {Kind.PROBLEM}),
        ("quarantine", {Kind.PROBLEM, Kind.QUARANTINED, Kind.CHANGED, Kind.HELD}),
        ("all", set(Kind)),
    ],
)
def test_each_level_hears_what_it_should(level: str, kinds: set[Kind]):
    assert wanted(level) == kinds
