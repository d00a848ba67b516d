"""What a fit of heads may be asked."""

import pytest
from pydantic import ValidationError

from pipelines.heads import FitHeadsConfig


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"heads": ("nosuch",)}, "head 'nosuch' is not known; choose one of: "),
        ({"heads": ()}, "name at least one of: "),
        ({"options": {"invers": {}}}, "options.invers is given and 'invers' is none of heads"),
        ({"model": "m0@zz"}, "has no digest after '@'"),
    ],
)
def test_a_wrong_value_is_a_sentence(changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValidationError) as found:
        FitHeadsConfig.model_validate({"model": "m0"} | changes)
    assert sentence in str(found.value)


def test_a_kind_given_twice_is_fitted_once() -> None:
    assert FitHeadsConfig(model="m0", heads=("inverse", "inverse")).heads == ("inverse",)
