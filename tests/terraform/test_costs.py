"""The cost tables of terraform/README.md: their arithmetic, and that they price the environments' own nodes."""

import re

import pytest

from tests.terraform.conftest import ENVIRONMENTS, SOURCE

README = (SOURCE / "README.md").read_text()
ROW = re.compile(r"^\| ([^|*]+) \| (\d+) \| (\d+) \| ([\d.]+) \| ([\d.]+) \|$", re.MULTILINE)
TOTAL = re.compile(r"^\| \*\*(\w+), idle\*\* \| \| \| \| \*\*([\d.]+)\*\* \|$", re.MULTILINE)


def idle_rows(environment: str) -> list[tuple[str, ...]]:
    """Returns the rows above an environment's total."""
    before = README[: README.index(f"**{environment}, idle**")]
    return ROW.findall(before[before.rindex("|---|") :])


def pools(environment: str) -> dict[str, tuple[str, int, int]]:
    """Returns first instance type, minimum and maximum of each pool."""
    text = (SOURCE / "environments" / environment / "main.tf").read_text()
    found = {}
    for name, body in re.findall(r"^    (\w+) += \{(.*?)\}", text, re.MULTILINE | re.DOTALL):
        types = re.search(r'instance_types += \["([^"]+)"', body)
        bounds = {bound: re.search(rf"{bound} += (\d+)", body) for bound in ("minimum", "maximum")}
        assert types is not None and bounds["maximum"] is not None
        least = bounds["minimum"]
        found[name] = (types[1], int(least[1]) if least else 0, int(bounds["maximum"][1]))
    return found


def test_each_row_is_its_product() -> None:
    """number × hours × price, to the cent."""
    rows = ROW.findall(README)
    assert len(rows) >= 16
    for item, number, hours, price, dollars in rows:
        assert float(dollars) == pytest.approx(int(number) * int(hours) * float(price), abs=0.006), item


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_total_is_the_sum_of_its_rows(environment: str) -> None:
    """And the nodes in it are those that the environment never goes below."""
    total = float(dict(TOTAL.findall(README))[environment])
    rows = idle_rows(environment)
    assert total == pytest.approx(sum(float(row[-1]) for row in rows), abs=0.006)
    always = {f"{kind} ({name})": least for name, (kind, least, _) in pools(environment).items() if least}
    assert {row[0]: int(row[1]) for row in rows if row[0] in always} == always


def test_work_is_priced_on_nodes_that_there_are() -> None:
    """Each row of work names an instance type of a pool, and no more nodes than the pool may have."""
    rows = [row for row in ROW.findall(README) if re.match(r"(dev|prod): ", row[0])]
    assert {re.split("[:]", row[0])[0] for row in rows} == {"dev", "prod"}
    for item, number, *_ in rows:
        found = re.match(r"(\w+): \w+ on ([\w.]+)[^(]*\((\w+),", item)
        assert found is not None, item
        kind, _, most = pools(found[1])[found[3]]
        assert kind == found[2] and int(number) <= most, item
