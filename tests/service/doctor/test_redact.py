import pytest

from checkfirst.service.doctor.redact import (
    of_the_person,
    own_words_blocking,
    without_hashes,
    without_names,
    without_person,
)

WORDS = own_words_blocking()
SHA = "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("released; mode normal lets it through", "released; mode normal lets it through"),
        (
            "arrived      mortgage-2025.pdf (68 bytes) in /home/ann/x",
            "arrived      … (68 bytes) in …",
        ),
        ("waiting      until 14:05:12: the quota", "waiting      until 14:05:12: the quota"),
        (f"sha256 {SHA}", "sha256 …"),
        ("Zwieback Rezept.odt could not be taken", "… could not be taken"),
        ("caf\\xe9 \\u202efdp.exe", "…"),
        ('{"event": "held", "name": "mortgage.pdf"}', '{"event": "held", "name": …'),
    ],
)
def test_what_is_no_word_of_ours_is_left_out(line, left):
    assert without_names(line, WORDS) == left


def test_known_names_go_even_if_their_words_are_ours():
    line = "released     quarantine report until released -> x"
    assert "quarantine" not in without_names(line, WORDS, ["quarantine report until released"])


def test_without_source_nothing_stays():
    assert without_names("anything at all", frozenset()) == "…"


def test_person_and_machine_are_replaced_and_hashes_apart_from_them():
    person = of_the_person({"USER": "ann"}, "/home/ann", "annsbox", "ann.smith")
    text = f"/home/ann/Downloads on annsbox, /home/anna, /media/ann/{SHA}, annual ann.smith"
    told = without_person(text, person)
    assert told == (f"~/Downloads on (host), /home/anna, /media/(user)/{SHA}, annual (account)")
    assert without_hashes(told) == told.replace(SHA, "(hash)")


def test_root_and_an_empty_home_replace_nothing():
    assert of_the_person({"USER": "root"}, "/", "", None) == {}
