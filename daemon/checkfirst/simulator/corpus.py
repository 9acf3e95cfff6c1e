"""The files that the simulated service knows from the start, and how it judges new ones."""

from dataclasses import replace

from checkfirst.simulator.known import (
    KnownFile,
    clean,
    few_opinions,
    malicious,
    only_suspicious,
    pending_without_stats,
)

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}" + b"$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""The harmless test file of the antivirus industry; in two parts, so that no scanner on the
reader's machine takes this source file for it."""

MARKER = b"CHECKFIRST-SIMULATOR-MALICIOUS"
"""A file that holds these bytes is found malicious when its upload has been analysed."""

CLEAN_SAMPLE = b"checkfirst simulator: every engine finds nothing in this file\n"
MALICIOUS_SAMPLE = b"checkfirst simulator: five engines warn of this file\n"
SUSPICIOUS_SAMPLE = b"checkfirst simulator: some engines have a bad feeling\n"
FEW_OPINIONS_SAMPLE = b"checkfirst simulator: hardly any engine could look at this file\n"
PENDING_SAMPLE = b"checkfirst simulator: nobody has finished looking at this file\n"

BUILT_IN = (
    replace(
        malicious(EICAR),
        names=("eicar.com", "eicar.txt"),
        type_description="EICAR",
        type_tag="eicar",
        tags=("attachment", "via-tor"),
        reputation=-889,
    ),
    replace(clean(b""), names=("empty",)),
    replace(clean(b"\n"), names=("newline.txt",), type_description="Text", type_tag="text"),
    replace(clean(CLEAN_SAMPLE), type_description="Text", type_tag="text"),
    malicious(MALICIOUS_SAMPLE, detections=5),
    only_suspicious(SUSPICIOUS_SAMPLE),
    few_opinions(FEW_OPINIONS_SAMPLE),
    pending_without_stats(PENDING_SAMPLE),
)


def judge(content: bytes) -> KnownFile:
    """What an analysis of these bytes finds when no test has scripted anything else."""
    if content.startswith(EICAR) or MARKER in content:
        return malicious(content)
    return clean(content)
