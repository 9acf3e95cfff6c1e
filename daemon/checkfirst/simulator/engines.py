"""Names of scan engines as they stand in real reports: with blanks, dots and hyphens."""

import itertools
from collections.abc import Iterator

ENGINES = tuple(
    name.strip()
    for name in """
    Acronis (Static ML)|AhnLab-V3|Alibaba|AliCloud|ALYac|Antiy-AVL|APEX|Arcabit|Arctic Wolf|Avast
    Avast-Mobile|AVG|Avira (no cloud)|Baidu|BitDefender|BitDefenderFalx|BitDefenderTheta|Bkav Pro
    ClamAV|CMC|CrowdStrike Falcon|CTX|Cylance|Cynet|DeepInstinct|DrWeb|Elastic|Emsisoft|eScan
    ESET-NOD32|F-Secure|Fortinet|GData|Google|Gridinsoft (no cloud)|Huorong|Ikarus|Jiangmin
    K7AntiVirus|K7GW|Kaspersky|Kingsoft|Lionic|Malwarebytes|MaxSecure|McAfee Scanner|Microsoft
    NANO-Antivirus|Palo Alto Networks|Panda|QuickHeal|Rising|Sangfor Engine Zero|SecureAge
    SentinelOne (Static ML)|Skyhigh (SWG)|Sophos|SUPERAntiSpyware|Symantec
    Symantec Mobile Insight|TACHYON|TEHTRIS|Tencent|Trapmine|Trellix (ENS)|TrendMicro
    TrendMicro-HouseCall|Trustlook|Varist|VBA32|VIPRE|VirIT|ViRobot|Webroot|WithSecure
    Xcitium|Yandex|Zillya|ZoneAlarm by Check Point|Zoner
    """.replace("\n", "|").split("|")
    if name.strip()
)


def names() -> Iterator[str]:
    """The known engines in a fixed order, then invented ones without end."""
    yield from ENGINES
    yield from (f"Engine {number}" for number in itertools.count(1))
