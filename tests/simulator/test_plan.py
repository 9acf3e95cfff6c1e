import pytest

from checkfirst.simulator.faults import dropped, hanging, html
from checkfirst.simulator.plan import Plan

FILE, ANALYSIS = "/api/v3/files/x", "/api/v3/analyses/y"


@pytest.fixture
def plan() -> Plan:
    return Plan()


def taken(plan: Plan, times: int, method: str = "GET", path: str = FILE) -> list[object]:
    return [plan.take(method, path) for _ in range(times)]


def test_a_fault_spoils_the_next_requests_and_no_more(plan):
    fault = html()
    plan.next(fault, 2)

    assert taken(plan, 3) == [fault, fault, None]


def test_faults_come_in_the_order_they_were_given(plan):
    first, second = html(), dropped()
    plan.next(first)
    plan.next(second)

    assert taken(plan, 3) == [first, second, None]


@pytest.mark.parametrize("path", ["/files/", "/api/v3/files/"])
def test_a_fault_may_concern_one_path_or_method_only(plan, path):
    fault, other = html(), hanging()
    plan.next(fault, path=path)
    plan.always(other, method="POST")

    assert taken(plan, 1, path=ANALYSIS) == [None]
    assert taken(plan, 1, "POST", ANALYSIS) == [other]
    assert taken(plan, 2) == [fault, None]


def test_the_first_requests_may_pass(plan):
    fault = html()
    plan.next(fault, skip=2)

    assert taken(plan, 4) == [None, None, fault, None]


def test_a_lasting_fault_ends_when_it_is_removed(plan):
    fault = html()
    rule = plan.always(fault)
    assert taken(plan, 5) == [fault] * 5

    plan.remove(rule)
    assert taken(plan, 1) == [None]
    plan.next(fault)
    plan.clear()
    assert taken(plan, 1) == [None]


def test_chance_is_the_same_for_the_same_seed():
    fault = html()

    def choices(seed: int) -> list[bool]:
        plan = Plan(seed)
        plan.always(fault, chance=0.5)
        return [one is fault for one in taken(plan, 100)]

    assert choices(1) == choices(1)
    assert choices(1) != choices(2)
    assert 20 < sum(choices(1)) < 80
