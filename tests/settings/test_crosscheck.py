import pytest

CLASHES = [
    ("released: ~/Downloads", "released: is a watched folder (watch.0)"),
    ("quarantine: ~/Downloads/\nreleased: ~/r", "quarantine: is a watched folder (watch.0)"),
    ("state: ~/x/../Downloads", "state: is a watched folder (watch.0)"),
    ("released: ~/a\nquarantine: ~/a", "quarantine: is the released folder"),
    ("released: ~/q/a\nquarantine: ~/q", "released: lies inside the quarantine folder"),
    ("released: ~/r\nquarantine: ~/r/q\nintake: {recursive: true}",
     "quarantine: lies inside the released folder"),
    ("state: ~/Quarantine", "state: is the quarantine folder"),
    ("state: ~/Downloads/Released/s", "state: lies inside the released folder"),
    ("quarantine: ~/.local/state/checkfirst/held/q", "quarantine: lies among the held files"),
    ("state: ~/Downloads/s\nintake: {recursive: true}", "state: lies inside a watched folder"),
    ("watch: [~/a, ~/a/]", "watch.1: is the same folder as watch.0"),
    ("watch: [~/a, ~/a/b]\nintake: {recursive: true}", "watch.1: lies in one tree with watch.0"),
    ("watch: [~/a/b, ~/a]\nintake: {recursive: true}", "watch.1: lies in one tree with watch.0"),
    ("watch: [~/Quarantine/in]", "watch.0: lies inside the quarantine folder"),
    ("watch: [~/.local/state/checkfirst/held/1]", "watch.0: lies among the held files"),
    ("poll: {first: 10m}", "poll.first: is longer than at_most"),
    ("virustotal: {retry: {at_most: 1s}}", "virustotal.retry.first: is longer than at_most"),
    ("virustotal: {pause: {first: 2h}}", "virustotal.pause.first: is longer than at_most"),
    ("recheck: {for: 1h}", "recheck.every: is longer than recheck.for"),
    ("lists: {block: [nowhere.txt]}", "lists.block.0: is neither a SHA-256"),
    (f"lists: {{allow: [{'a' * 64}], block: [{'A' * 64}]}}", "lists.block.0: is in lists.allow"),
    ("log: {file: /}", "log.file: is a folder"),
    ("log: {file: ~/Downloads/a.log}", "log.file: lies in a watched folder (watch.0)"),
    ("log: {file: ~/Downloads/a/b.log}\nintake: {recursive: true}",
     "log.file: lies in a watched folder (watch.0)"),
    ("log: {file: ~/.local/state/checkfirst/checkfirst.sqlite}", "log.file: is the database"),
    ("sources: []", "sources: must begin with lists"),
    ("sources: [remembered, virustotal]", "sources: must begin with lists"),
    ("sources: [known-good, lists]", "sources: must begin with lists"),
    ("sources: [lists, virustotal, lists]", "sources.2: is in the list already"),
    ("sources: [lists, virustotal, known-good]",
     "sources.2: answers from this machine, so it stands before virustotal"),
    ("sources: [lists]\nunknowns: {submit: true}", "unknowns.submit: uploads to virustotal"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "told"), CLASHES)
def test_what_cannot_go_together_is_told(desk, text, told):
    (problem,) = desk.problems(text)
    place, _, words = problem.partition(": ")
    assert place.startswith("settings.yaml:")
    assert words.startswith(told)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("watch: ~/d\nreleased: ~/d", ["watch: give a list", "released: is a watched folder"]),
        ("watch: [~/d, 5]\nreleased: ~/d",
         ["watch.1: give a path", "released: is a watched folder (watch.0)"]),
        ("watch: [5, ~/d, ~/d]",
         ["watch.0: give a path", "watch.2: is the same folder as watch.1"]),
        ("watch: [5]\nreleased: ~/Downloads", ["watch.0: give a path"]),
        ("watch: 5\nreleased: ~/Downloads", ["watch: give a list"]),
        ("watch: ''\nreleased: ~/q\nquarantine: ~/q",
         ["watch: give a list", "quarantine: is the released folder"]),
        ("lists: {block: 7}\nwatch: ~/d\nreleased: ~/d",
         ["lists.block: give a list", "watch: give a list", "released: is a watched folder"]),
        ("sources: [nonsense, remembered]", ["sources.0: "]),
    ],
)  # fmt: skip
def test_what_is_right_beside_a_mistake_is_held_against_the_rest(desk, text, told):
    problems = [problem.partition(": ")[2] for problem in desk.problems(text)]
    assert len(problems) == len(told)
    assert all(map(str.startswith, problems, told)), problems


@pytest.mark.parametrize(
    "text",
    [
        "quarantine: ~/Downloads/Quarantine",
        "log: {file: ~/Downloads/logs/a.log}",
        "log: {file: ~/Downloads/Released/a.log}\nintake: {recursive: true}",
        "watch: [~/]\nlog: {file: ~/.local/state/checkfirst/a.log}\nintake: {recursive: false}",
        "intake: {recursive: true}\nquarantine: ~/Downloads/Quarantine",
        "watch: [~/Downloads/Unchecked]\nreleased: ~/Downloads",
        "released: ~/r\nquarantine: ~/r/q",
        "watch: [~/]",
        "watch: [~/a, ~/a/b]",
        "watch: [~/a, ~/ab]\nintake: {recursive: true}",
        "state: ~/data\nwatch: [~/data/in]\nquarantine: ~/data/quarantine\nreleased: ~/data/out",
        "recheck: {for: 0s}",
        "poll: {first: 5m, at_most: 5m}",
        "sources: [lists]",
        "sources: [lists, known-good, remembered]",
        "sources: [lists, virustotal]\nunknowns: {submit: true}",
    ],
)
def test_what_can_go_together_is_taken(desk, text):
    assert desk.settings(text)


def test_a_link_does_not_hide_that_two_folders_are_one(desk):
    (desk.home / "Downloads").mkdir()
    (desk.home / "link").symlink_to("Downloads")
    (problem,) = desk.problems("released: ~/link")
    assert "is a watched folder" in problem
    (problem,) = desk.problems("watch: [~/Downloads, ~/link]")
    assert "is the same folder" in problem


def test_a_link_to_itself_is_no_trouble(desk):
    (desk.home / "loop").symlink_to("loop")
    assert desk.settings("released: ~/loop").released == desk.home / "loop"


def test_every_problem_of_the_sources_is_told_with_its_place(desk):
    problems = desk.problems(
        "mode: normal\nsources:\n  - lists\n  - virustotall\n  - lists\n  - known_good\n"
    )
    assert [each.partition(": ")[0] for each in problems] == [
        "settings.yaml:4:5",
        "settings.yaml:5:5",
        "settings.yaml:6:5",
    ]
    assert "did you mean virustotal?" in problems[0]
    assert "sources.2: is in the list already" in problems[1]
    assert "did you mean known-good?" in problems[2]
    (problem,) = desk.problems("sources:\n  - lists\n  - remembered\n  - remembered\n")
    assert problem.startswith("settings.yaml:4:5: sources.2: is in the list already")
