"""The one root of errors that a person may meet: a title, what it is about, what to do.

`Problem` ends a command or the daemon; `FileProblem` concerns one file and never ends anything.
Whoever raises does not log, and whoever logs does not raise.
"""


class CheckfirstError(Exception):
    """An error with words for the person at the keyboard."""

    exit_code = 3

    def __init__(self, title: str, to_do: str = "", *, about: str = "") -> None:
        """`about` names the file, folder or setting; it must be fit to be shown."""
        super().__init__(title)
        self.title = title
        self.to_do = to_do
        self.about = about

    def __str__(self) -> str:
        """Title, subject and advice in one line, for logs and status."""
        text = f"{self.title}: {self.about}" if self.about else self.title
        return f"{text}. {self.to_do}" if self.to_do else text


class Problem(CheckfirstError):
    """Something that the command or the daemon cannot go on with."""


class SettingsError(Problem):
    """Settings that cannot be used, with every problem found."""

    exit_code = 2

    def __init__(self, problems: list[str], to_do: str = "") -> None:
        """`problems`: `file:line:column: key: what is wrong and what would be right`."""
        super().__init__("The settings cannot be used", to_do)
        self.problems = problems

    def __str__(self) -> str:
        """The title, all problems and the advice, in one line as with every other error."""
        text = f"{self.title}: {'; '.join(self.problems)}"
        return f"{text}. {self.to_do}" if self.to_do else text


class AlreadyRunningError(Problem):
    """Another daemon works on the same state folder."""


class NotRunningError(Problem):
    """The command needs the daemon and there is none."""


class HandsLostError(Problem):
    """A second process that helped has ended; what it had in hand is to be looked for."""


class StoreError(Problem):
    """The database cannot be used."""


class FileProblem(CheckfirstError):
    """One file could not be taken or moved; it stays where it is and is tried again."""
