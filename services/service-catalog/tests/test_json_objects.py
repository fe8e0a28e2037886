"""When two JSON objects are the same."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_catalog.catalogue_items.json_objects import JsonObject

LEAVES = st.none() | st.booleans() | st.integers(0, 2) | st.floats(0, 1) | st.sampled_from(["", "1", "true"])
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("ab"), inner))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (1, 1.0, True),
        (0, -0.0, True),
        (1, True, False),
        (0, False, False),
        ([1], [True], False),
        ({"b": [{"c": 0}]}, {"b": [{"c": False}]}, False),
        ([1, 2], [2, 1], False),
        ([1], [1, 2], False),
        (None, False, False),
        ("1", 1, False),
        ({}, [], False),
    ],
)
def test_what_is_the_same(one: Any, other: Any, *, same: bool) -> None:
    for left, right in ((one, other), (other, one)):
        assert (JsonObject(a=left) == {"a": right}) is same
        assert ({"a": left} == JsonObject(a=right)) is same
        assert (JsonObject(a=left) != {"a": right}) is not same
        assert ({"a": left} != JsonObject(a=right)) is not same


def test_it_is_an_object() -> None:
    assert JsonObject() not in (None, [], False)
    assert JsonObject(a=1) != {"a": 1, "b": 1}


@given(value=JSON)
def test_each_is_the_same_as_itself(value: Any) -> None:
    assert JsonObject(a=value) == JsonObject(a=value)
