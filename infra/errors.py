"""Errors of the surroundings: a store, a cluster or a server that is not there or refuses us."""


class InfraError(Exception):
    """What is wrong outside the program, in one sentence with the address and the remedy; shown without a trace."""
