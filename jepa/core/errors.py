"""The error for wrong input."""


class InputError(ValueError):
    """A wrong input, in one sentence that names field, value and remedy; shown without a stack trace."""
