"""A number of the page says in full what it stands for; a text without a value is no number, and no text is markup."""

import pytest

from pipelines.reports.page.elements.numbers import exact, shown


def test_a_number_says_what_it_stands_for() -> None:
    assert shown("0.1", 0.12345678901) == '<data value="0.12345678901">0.1</data>'
    whole = shown("98 (93 – 99)", 0.98, 0.93, 0.99, rows=[3, 4], percent=True)
    ends = 'value="0.98" data-low="0.93" data-high="0.99" data-rows="3 4" data-percent="true"'
    assert whole == f"<data {ends}>98 (93 – 99)</data>"
    # Of one sample there is no interval.
    assert shown("1", 1, float("nan"), None) == '<data value="1">1</data>'


@pytest.mark.parametrize("missing", [None, float("nan"), float("inf")])
def test_what_has_no_value_is_text(missing: float | None) -> None:
    assert shown("–", missing) == "–"


def test_text_is_never_markup() -> None:
    assert "<b>" not in shown("<b>", 1.0) and "<b>" not in shown("<b>", None)


@pytest.mark.parametrize("value", [0.1, 1e-300, -3.0, 2.0**60, 1 / 3, 123456789.123])
def test_the_text_of_a_number_reads_as_the_very_same(value: float) -> None:
    assert float(exact(value)) == value
