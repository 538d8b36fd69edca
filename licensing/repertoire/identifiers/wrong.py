"""How a bad identifier is said."""


class BadIdentifier(ValueError):
    """A text that is no identifier of its scheme; `reason` is a fixed phrase."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
