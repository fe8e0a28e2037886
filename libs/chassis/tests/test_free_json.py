from typing import Annotated, Any

import pytest
from pydantic import TypeAdapter, ValidationError

from chassis.free_json import NUMBER_MAX, FreeObject

SMALL: TypeAdapter[dict[str, Any]] = TypeAdapter(Annotated[dict[str, Any], FreeObject(bytes_max=40, depth_max=3)])


@pytest.mark.parametrize(
    "text", ["{}", '{"a":{"b":[]}}', '{"a":[1,-0.5,true,null,"x"]}', f'{{"a":{NUMBER_MAX}}}', '{"größe":"1234567890"}']
)
def test_what_is_within_the_bounds_is_kept_as_it_is(text: str) -> None:
    assert SMALL.validate_json(text, strict=True) == TypeAdapter(dict[str, Any]).validate_json(text)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('{"a":{"b":[1]},"c":{"d":[{"e":1}]}}', "too_deep"),
        (f'{{"a":"{"x" * 33}"}}', "too_large"),
        (f'{{"a":"{"ä" * 17}"}}', "too_large"),
        (f'{{"a":{NUMBER_MAX + 1}}}', "number_too_large"),
        ('{"a":[-1e16]}', "number_too_large"),
        ('{"a":1e999}', "number_too_large"),
    ],
)
def test_what_is_beyond_them_is_refused(text: str, kind: str) -> None:
    with pytest.raises(ValidationError) as refused:
        SMALL.validate_json(text, strict=True)
    assert [error["type"] for error in refused.value.errors()] == [kind]
