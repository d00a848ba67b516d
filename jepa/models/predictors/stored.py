"""How a model's configuration named its predictor before there was a registry: one mapping, with the name as `form`."""

import logging
from collections.abc import Mapping
from typing import Any

log = logging.getLogger(__name__)

FIELDS = {
    *("form", "width", "depth", "heads", "head_size", "mlp_size", "action_mlp_size", "action_inner_size"),
    *("dropout", "output", "projector_size"),
}
"""What every stored mapping held, whatever the form took of it."""
IMPLIED = {"paper": ("width", "output"), "tokens": ("output", "projector_size")}
"""Fields that a form allowed one value of, or had no use for; the predictor of that name has no such option."""


def predictor_fields(held: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the fields `predictor` and `predictor_options` that a mapping of before stands for.

    A stored configuration names every field and is read silently; who writes only some is warned with today's names.
    """
    options = dict(held)
    form = options.pop("form", None)
    if held.keys() == FIELDS:
        options = {name: value for name, value in options.items() if name not in IMPLIED.get(form, ())}
    else:
        log.warning(
            "predictor.form is called predictor now, and the other fields of predictor predictor_options.*; "
            "the old names are still understood"
        )
    return {"predictor_options": options} | ({} if form is None else {"predictor": form})
