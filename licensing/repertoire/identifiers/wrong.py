"""How a bad identifier is said."""


def gettext_noop(text: str) -> str:
    """Mark a reason for translation where it is shown; stored, it stays English."""
    return text


class BadIdentifier(ValueError):
    """A text that is no identifier of its scheme; `reason` is a fixed phrase."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
