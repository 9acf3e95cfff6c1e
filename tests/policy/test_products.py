import pytest

from checkfirst.policy.products import is_no_recommendation


@pytest.mark.parametrize(
    "kind",
    [
        "Hacker Tool",
        "hacking tools",
        "Keylogger",
        "Key Logger",
        "Keyboard Logger",
        "Keystroke Recorder",
        "Steganography",
        "Steganography,Encryption",
        "Encryption,STEGANOGRAPHY",
        "Password Cracker",
        "Rootkit",
        "Spyware",
        "Trojan Horse",
        "Virus",
        "Virus, Anti-Virus",
        "Penetration Testing",
        "Key-gen",
    ],
)
def test_what_is_known_and_no_recommendation(kind):
    assert is_no_recommendation(kind)


@pytest.mark.parametrize(
    "kind",
    [
        "Operating System",
        "Office Suite",
        "Anti-Virus",
        "Antivirus",
        "Anti Spyware",
        "Encryption",
        "Firewall",
        "Game",
        "Keyboard Layout",
        "Network Administration",
        "",
        "Unknown",
    ],
)
def test_what_is_as_good_as_any(kind):
    assert not is_no_recommendation(kind)
