from hypothesis import given
from hypothesis import strategies as st

from checkfirst.model import Question, Risk
from checkfirst.sources.virustotal.queue import AGEING_SECONDS, Queue, Stage


def question(number: int, since: float = 0.0, risk: Risk = Risk.PROGRAM) -> Question:
    return Question(f"{number:064x}", 1, risk, b"/held/%d" % number, since)


def drain(queue: Queue, now: float) -> list[int]:
    order = []
    while (case := queue.best(now)) is not None:
        queue.take(case)
        order.append(int(case.sha256, 16))
    return order


def test_nothing_starves_behind_what_keeps_coming():
    """A program goes before an image, but not before one that came two classes' worth earlier."""
    queue = Queue()
    queue.add(question(1, 0.0, Risk.IMAGE))
    queue.add(question(2, 2 * AGEING_SECONDS - 1))
    queue.add(question(3, 2 * AGEING_SECONDS + 1))
    assert drain(queue, 0.0) == [2, 1, 3]


def test_stages_go_in_order():
    queue = Queue()
    for number, stage in enumerate(reversed(Stage)):
        queue.place(queue.add(question(number)), stage)
    assert drain(queue, 0.0) == [5, 4, 3, 2, 1, 0]


def test_an_upload_does_not_starve_behind_look_ups_that_keep_coming():
    queue = Queue()
    queue.place(queue.add(question(1)), Stage.UPLOAD)
    for number, since in [(2, AGEING_SECONDS - 1), (3, AGEING_SECONDS + 1)]:
        queue.add(question(number, since))
    assert [int(case.sha256, 16) for case in queue.in_order()] == [2, 1, 3]
    first = queue.best(0.0, [Stage.LOOK_UP])
    assert first is not None
    queue.remove(first)
    upload = queue.best(0.0)
    assert upload is not None
    assert upload.stage is Stage.UPLOAD
    assert drain(queue, 0.0) == [1, 3]


def test_what_rests_is_not_found_before_it_is_due():
    queue = Queue()
    queue.place(queue.add(question(1)), due=10.0)
    assert queue.best(9.9) is None
    assert queue.next_due() == 10.0
    assert queue.best(10.0) is not None
    assert queue.next_due() is None


def test_a_stage_that_is_not_asked_for_is_passed_over():
    queue = Queue()
    queue.place(queue.add(question(1)), Stage.UPLOAD)
    assert queue.best(0.0, [Stage.LOOK_UP, Stage.POLL]) is None
    assert queue.best(0.0) is not None


def test_copies_join_and_keep_all_places():
    queue = Queue()
    first = queue.add(question(1))
    second = Question(first.sha256, 1, Risk.PROGRAM, b"/held/other", 5.0)
    assert queue.add(second) is first
    queue.add(second)
    assert first.held == [b"/held/1", b"/held/other"]


def test_a_removed_question_cannot_come_back():
    queue = Queue()
    case = queue.add(question(1))
    queue.remove(case)
    queue.place(case)
    assert queue.best(0.0) is None
    again = queue.add(question(1))
    assert again is not case
    assert queue.best(0.0) is again


DEEDS = st.lists(
    st.tuples(
        st.sampled_from(["add", "place", "rest", "remove", "take"]),
        st.integers(0, 5),
        st.floats(0.0, 10.0),
        st.sampled_from(list(Stage)),
    ),
    max_size=60,
)


@given(DEEDS)
def test_every_question_is_found_exactly_once_unless_removed_or_in_hand(deeds):
    queue = Queue()
    for deed, number, moment, stage in deeds:
        case = queue.cases.get(f"{number:064x}")
        if deed == "add":
            queue.add(question(number, moment))
        elif case is not None:
            match deed:
                case "place":
                    queue.place(case, stage)
                case "rest":
                    queue.place(case, stage, moment)
                case "remove":
                    queue.remove(case)
                case "take":
                    queue.take(case)
        queue.best(moment)
    waiting = {int(one.sha256, 16) for one in queue.cases.values() if not one.in_hand}
    assert sorted(drain(queue, 100.0)) == sorted(waiting)


def test_what_has_rested_takes_its_old_place_again():
    queue = Queue()
    first, second = queue.add(question(1, since=10.0)), queue.add(question(2, since=20.0))
    queue.place(first, due=5.0)
    assert queue.in_order() == [second, first]
    assert queue.best(5.0) is first
    assert queue.in_order() == [first, second]
