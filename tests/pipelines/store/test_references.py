"""`d0@2` and `m0@1a2b`: what people write for a version, and what is refused."""

import pytest

from jepa.core.errors import InputError
from pipelines.store.references import DatasetRef, ModelRef, check_name, split_dataset, split_model


@pytest.mark.parametrize(("text", "parts"), [("d0", ("d0", None)), ("d0@2", ("d0", 2)), ("a.b-c@10", ("a.b-c", 10))])
def test_a_dataset_is_a_name_and_perhaps_a_version(text: str, parts: tuple[str, int | None]) -> None:
    assert split_dataset(text) == parts


@pytest.mark.parametrize("text", ["d0@", "d0@0", "d0@x", "d0@-1", "d0@1.5", "d0@01", "d0@1@2", "d0@9999999999"])
def test_a_version_is_a_whole_number_from_1_on(text: str) -> None:
    with pytest.raises(InputError, match=r"has no version number after '@'; write e\.g\. d0@2"):
        split_dataset(text)


@pytest.mark.parametrize("text", ["m0@", "m0@1a2", "m0@xyz1", "m0@1A2B", f"m0@{'a' * 65}"])
def test_a_digest_is_4_or_more_hexadecimal_digits(text: str) -> None:
    assert split_model("m0") == ("m0", None) and split_model("m0@1a2b") == ("m0", "1a2b")
    with pytest.raises(InputError, match=r"has no digest after '@'; write .* e\.g\. m0@1a2b3c4d"):
        split_model(text)


@pytest.mark.parametrize("name", ["", "../d0", "a/b", ".hidden", "-d", "d 0", "d@0", "x" * 101])
def test_a_name_is_that_of_a_folder_and_nothing_more(name: str) -> None:
    with pytest.raises(InputError, match=r"dataset name .* is not usable"):
        check_name("dataset", name)


def test_people_are_shown_what_they_may_write() -> None:
    assert str(DatasetRef(name="d0", version=2, digest="ab" * 32)) == "d0@2"
    shown = str(ModelRef(name="m0", digest="1a2b3c4d" * 8))
    assert shown == "m0@1a2b3c4d" and split_model(shown) == ("m0", "1a2b3c4d")
