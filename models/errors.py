"""What is refused: the base of all errors that a user can mend."""


class RefusedError(ValueError):
    """Something that makes no sense or can't be done. The text is a sentence for the user."""
