"""A notification server on the session bus that writes down what it is shown.

`python notification_server.py FILE [--press]`: each call of Notify is a line of JSON in FILE. With
`--press` the first action that is offered is pressed at once. `--hang` never answers.
"""

import argparse
import asyncio
import json
from pathlib import Path

# The extra's own D-Bus library; no `from __future__` here, as it reads the annotations.
from dbus_fast.aio import MessageBus
from dbus_fast.service import ServiceInterface, dbus_method, dbus_signal

NAME = "org.freedesktop.Notifications"


class Server(ServiceInterface):
    """Desktop Notifications Specification 1.2, as much of it as there is to record."""

    def __init__(self, file: Path, press: bool, hang: bool) -> None:
        super().__init__(NAME)
        self._file, self._press, self._hang = file, press, hang
        self._number = 0

    @dbus_method()
    def GetCapabilities(self) -> "as":  # noqa: F722, N802
        return ["actions", "body", "body-markup"]

    @dbus_method()
    def GetServerInformation(self) -> "ssss":  # noqa: F821, N802
        return ["recorder", "checkfirst", "1", "1.2"]

    @dbus_method()
    async def Notify(  # noqa: N802, PLR0917
        self,
        app: "s",  # noqa: F821
        replaces: "u",  # noqa: F821
        icon: "s",  # noqa: F821
        summary: "s",  # noqa: F821
        body: "s",  # noqa: F821
        actions: "as",  # noqa: F722
        hints: "a{sv}",  # noqa: F722
        timeout: "i",  # noqa: ASYNC109, F821
    ) -> "u":  # noqa: F821
        if self._hang:
            await asyncio.Event().wait()
        self._number += 1
        urgency = hints["urgency"].value
        told = {"summary": summary, "body": body, "actions": actions, "urgency": urgency}
        with self._file.open("a") as file:
            file.write(json.dumps(told) + "\n")
        if self._press and actions:
            key = next(key for key in actions[::2] if key != "default")
            asyncio.get_running_loop().call_later(0.2, self.ActionInvoked, self._number, key)
        return self._number

    @dbus_method()
    def CloseNotification(self, number: "u") -> None:  # noqa: F821, N802
        pass

    @dbus_signal()
    def ActionInvoked(self, number: "u", key: "s") -> "us":  # noqa: F821, N802
        return [number, key]

    @dbus_signal()
    def NotificationClosed(self, number: "u", reason: "u") -> "uu":  # noqa: F821, N802
        return [number, reason]


async def serve() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path)
    parser.add_argument("--press", action="store_true")
    parser.add_argument("--hang", action="store_true")
    given = parser.parse_args()
    bus = await MessageBus().connect()
    bus.export("/org/freedesktop/Notifications", Server(given.file, given.press, given.hang))
    await bus.request_name(NAME)
    given.file.touch()
    await bus.wait_for_disconnect()


if __name__ == "__main__":
    asyncio.run(serve())
