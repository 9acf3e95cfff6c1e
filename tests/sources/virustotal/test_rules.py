from checkfirst.model import Question, Risk
from checkfirst.settings.schema import Settings
from checkfirst.sources.virustotal.rules import Gap, Rules


def test_they_are_those_of_the_settings():
    settings = Settings.model_validate(
        {
            "virustotal": {"malicious_at": 3, "retry": {"first": "1s", "at_most": "2m"}},
            "unknowns": {"submit": True, "wait_at_most": "1h", "submit_types": ["media"]},
        }
    )
    rules = Rules.of(settings)
    assert (rules.malicious_at, rules.opinions_at_least) == (3, 10)
    assert rules.retry == Gap(first=1.0, at_most=120.0)
    assert rules.pause == Gap(first=60.0, at_most=3600.0)
    assert rules.poll == Gap(first=30.0, at_most=300.0)
    assert (rules.submit, rules.wait, rules.wait_at_most) == (True, True, 3600.0)
    assert rules.submits(Question("a" * 64, 1, Risk.MEDIA, b"", 0.0))
    assert not rules.submits(Question("a" * 64, 1, Risk.PROGRAM, b"", 0.0))


def test_the_defaults_upload_nothing():
    rules = Rules.of(Settings())
    assert not any(rules.submits(Question("a" * 64, 1, risk, b"", 0.0)) for risk in Risk)
