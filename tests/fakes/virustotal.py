"""VirusTotal without HTTP: says what a test has put into its mouth."""

import asyncio
import os

from checkfirst.sources.virustotal.reply import (
    AnalysisStatus,
    Descriptor,
    Failure,
    NotKnown,
    Report,
    UploadUrl,
)

Reply = Report | NotKnown | AnalysisStatus | Descriptor | UploadUrl | Failure


class FakeApi:
    """Implements `checkfirst.sources.virustotal.outside.Api`.

    `script` holds replies by `verb` or `verb sha256`, used up one after the other, the last one for
    ever. A gate that is shut lets a request hang until it is opened.
    """

    def __init__(self) -> None:
        self.script: dict[str, list[Reply]] = {
            "report": [NotKnown()],
            "url": [UploadUrl("https://www.virustotal.com/_ah/upload/1")],
            "upload": [Descriptor("analysis")],
            "analysis": [AnalysisStatus(finished=False, stats=None, date=None)],
        }
        self.calls: list[tuple[str, str]] = []
        self.gates: dict[str, asyncio.Event] = {}
        self.sent: dict[str, bytes] = {}
        self.upload_urls: list[str | None] = []
        self.closed = 0

    def verbs(self) -> list[str]:
        return [verb for verb, _ in self.calls]

    async def report(self, sha256: str) -> Reply:
        return await self._reply("report", sha256)

    async def upload_url(self) -> Reply:
        return await self._reply("url", "")

    async def upload(
        self, descriptor: int, sha256: str, size: int, url: str | None = None
    ) -> Reply:
        self.upload_urls.append(url)
        self.sent[sha256] = await asyncio.to_thread(os.pread, descriptor, min(size, 4096), 0)
        return await self._reply("upload", sha256)

    async def analysis(self, analysis_id: str, sha256: str) -> Reply:
        return await self._reply("analysis", sha256)

    async def close(self) -> None:
        self.closed += 1

    async def _reply(self, verb: str, sha256: str) -> Reply:
        self.calls.append((verb, sha256))
        if verb in self.gates:
            await self.gates[verb].wait()
        replies = self.script.get(f"{verb} {sha256}") or self.script[verb]
        return replies.pop(0) if len(replies) > 1 else replies[0]
