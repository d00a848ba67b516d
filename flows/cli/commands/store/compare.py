"""`jepa compare`: models held against each other on the same problems and episodes."""

from flows.cli.commands.context import Context
from jepa.core.config import Config


class CompareOptions(Config):
    """What to compare."""

    models: tuple[str, ...] = ()
    """two models or more, `m0` or `m0@1a2b3c4d`; all are held against the first. Training seeds of one
    recipe make one side: `m-s0,m-s1,m-s2`, or a pattern, 'm-s*'"""
    kinds: tuple[str, ...] = ()
    """kinds of evaluation; by default all that the models were judged by"""


Options = CompareOptions
POSITIONAL = "models"
EXAMPLE = "jepa compare m0 m1\n  jepa compare 'lewm-s*' 'pldm-s*' --kinds planning"


def execute(options: CompareOptions, context: Context) -> int:
    """Compares, and shows the differences; what cannot be compared is refused with what would help."""
    store = context.store(writes=False)
    from pipelines.reports.comparison import compare
    from pipelines.reports.comparison.texts import comparison_lines

    found = compare(store, options.models, options.kinds)
    context.show(found.model_dump(mode="json"), comparison_lines(found))
    return 0
