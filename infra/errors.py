"""The error of the surroundings: a store, a cluster or a server that is not there or does not let us in."""


class InfraError(Exception):
    """What is wrong outside the program, in one sentence with the address and the remedy; shown without a trace."""
