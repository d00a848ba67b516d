"""The error that a user can mend."""


class InputError(ValueError):
    """A wrong input, told in one sentence that names field, value and remedy; shown without a stack trace."""
