"""What uncheck raises: one clear sentence saying what is wrong, where, and what to do."""


class UncheckError(Exception):
    """Something the user can mend: its message is one sentence, printed without a traceback."""


class UncheckWarning(UserWarning):
    """Something that was left out or assumed, and that the user may want to know."""
