from checkfirst.policy.threats import by_name


def test_engines_that_agree_stand_together_and_the_most_common_name_comes_first():
    threats = ["A: Bad", "B: EICAR: test", "C: Worse", "D: Worse", "no engine"]
    assert by_name(threats) == [
        ("Worse", ["C", "D"]),
        ("Bad", ["A"]),
        ("EICAR: test", ["B"]),
        ("no engine", []),
    ]


def test_nothing_is_nothing():
    assert by_name([]) == []
