"""Errors of the surroundings: a store, a cluster or a server that is not there or refuses us."""

from typing import ClassVar


class InfraError(Exception):
    """What is wrong outside the program, in one sentence with the address and the remedy; shown without a trace."""

    final: ClassVar[bool] = False
    """Whether another attempt would fail in the same way: something is lost, and not only out of reach."""


class AddressError(InfraError):
    """What a setting leads to is not there or refuses us: nothing was begun, and the setting is to be corrected."""


class Interrupted(SystemExit):
    """An orderly end that somebody asked for; its message says in one sentence what is kept."""
