"""Forms by themselves: which schemas make one, what is wrong with what was filled in, and that neither takes long."""

import json
import time
from typing import Any

import pytest

from chassis.rejection import Fault
from service_catalog.catalogue_items.effort import ANYTHING, STEPS_MAX, Effort, TooMuchWorkError
from service_catalog.catalogue_items.forms import Form, schema_faults

SECONDS_MAX = 3.0  # of processor time; what is not bounded takes minutes
TREE: dict[str, Any] = {"properties": {"children": {"items": {"$ref": "#"}}}}


def told(faults: list[Fault]) -> list[tuple[str, str]]:
    return [(fault.pointer, fault.code) for fault in faults]


def nested(levels: int, **with_each: Any) -> dict[str, Any]:
    schema: dict[str, Any] = {"properties": {"x": True}}
    for _ in range(levels):
        schema = {"allOf": [schema], **with_each}
    return schema


def doubling(levels: int) -> dict[str, Any]:
    """Return a small schema that comes to two to the power of its levels."""
    twice = {f"a{n + 1}": {"allOf": [{"$ref": f"#/$defs/a{n}"}] * 2} for n in range(levels)}
    return {"$defs": {"a0": {"type": "object"}, **twice}, "$ref": f"#/$defs/a{levels}"}


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "https://example.com/laptop"},
        {"$defs": {"code": {"pattern": "^[0-9]+$"}}, "properties": {"a": {"$ref": "#/$defs/code"}}},
        {"properties": {"a": {"title": "A"}, "b": {"$ref": "#/properties/a"}}},
        {"$defs": {"a/b": {"type": "string"}}, "properties": {"x": {"$ref": "#/$defs/a~1b"}}},
        {
            "$defs": {"Größe": True, "a b": True},
            "allOf": [{"$ref": "#/$defs/Gr%C3%B6%C3%9Fe"}, {"$ref": "#/$defs/a%20b"}],
        },
        {"properties": {"$ref": {"type": "string"}}, "x-order": ["$ref"]},
        {"properties": {"a": {"enum": [{"$ref": "https://example.com/"}]}}},
        {"type": "object", "unevaluatedProperties": False, "allOf": [{"properties": {"a": True}}]},
        {"properties": {"name": {"pattern": r"^\p{L}.{0,40}$"}}},
        {"type": ["null", "object"]},
    ],
)
def test_what_makes_a_form(schema: dict[str, Any]) -> None:
    assert schema_faults(schema) == []


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "strng", "minLength": -1}, [("/type", "any-of"), ("/minLength", "minimum")]),
        ({"properties": {"a": {"required": "b"}}}, [("/properties/a/required", "type")]),
        ({"properties": {"a": 5}}, [("/properties/a", "type")]),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, [("/$schema", "not-one-of")]),
        ({"type": "string"}, [("/type", "not-one-of")]),
        (
            {"$defs": {"Größe": True}, "properties": {"a": {"$ref": "#/$defs/Größe"}}},
            [("/properties/a/$ref", "reference-unsupported")],
        ),
        ({"type": ["array", "null"], "minItems": 1}, [("/type", "not-one-of")]),
        ({"$ref": "https://example.com/schema.json"}, [("/$ref", "reference-outside")]),
        ({"properties": {"a": {"$ref": "file:///etc/passwd"}}}, [("/properties/a/$ref", "reference-outside")]),
        ({"$defs": {"unused": {"$ref": "other.json"}}}, [("/$defs/unused/$ref", "reference-outside")]),
        ({"$ref": "#/$defs/none"}, [("/$ref", "reference-unknown")]),
        ({"$anchor": "a", "properties": {"b": {"$ref": "#a"}}}, [("/properties/b/$ref", "reference-unsupported")]),
        ({"$dynamicRef": "#a"}, [("/$dynamicRef", "reference-unsupported")]),
        ({"properties": {"a": {"$id": "b"}}}, [("/properties/a/$id", "reference-unsupported")]),
        (TREE, [("/properties/children/items/$ref", "reference-recursive")]),
        ({"x": {"$ref": 1}, "$ref": "#/x"}, [("/x/$ref", "reference-outside")]),
        ({"x": {"type": "strng"}, "$ref": "#/x"}, [("/x/type", "schema-invalid")]),
        ({"properties": {"a": {"pattern": "("}}}, [("/properties/a/pattern", "pattern-unsupported")]),
        ({"properties": {"a": {"pattern": "^(?=b)"}}}, [("/properties/a/pattern", "pattern-unsupported")]),
        ({"properties": {"a": {"pattern": r"(b)\1"}}}, [("/properties/a/pattern", "pattern-unsupported")]),
        ({"patternProperties": {"a{100000}": True}}, [("/patternProperties/a{100000}", "pattern-unsupported")]),
        (doubling(30), [("", "too-complex")]),
        (nested(30, unevaluatedProperties=False), [("", "too-complex")]),
        ({"enum": list(range(STEPS_MAX))}, [("", "too-complex")]),
        ({"properties": {f"a{n}": {"pattern": rf"\p{{L}}{{{n}}}"} for n in range(200)}}, [("", "too-complex")]),
    ],
)
def test_what_makes_none_is_told_with_its_place(schema: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    begun = time.process_time()
    assert told(schema_faults(schema)) == [(f"/form_schema{pointer}", code) for pointer, code in expected]
    assert time.process_time() - begun < SECONDS_MAX


LAPTOP: dict[str, Any] = {
    "type": "object",
    "properties": {
        "size": {"enum": ["13", "15"]},
        "mail": {"type": "string", "format": "email"},
        "on": {"type": "string", "format": "date"},
        "code": {"type": "string", "pattern": "^[0-9]{4}$", "maxLength": 4},
        "screens": {"type": "array", "maxItems": 2, "items": {"type": "object", "required": ["width"]}},
        "a/b": {"type": "integer", "minimum": 1},
        "colour": {"anyOf": [{"const": "grey"}, {"type": "null"}]},
    },
    "required": ["size", "code"],
    "dependentRequired": {"screens": ["on"]},
    "additionalProperties": False,
}


def test_everything_that_is_wrong_is_told_with_its_place_and_never_repeated() -> None:
    secret = "Geheimnis"
    answers = {
        "size": secret,
        "mail": secret,
        "on": "2026-02-30",
        "screens": [{"width": 1}, {secret: 1}, secret],
        "a/b": 0,
        "colour": secret,
        "weight": secret,
    }
    faults = Form(LAPTOP).faults(answers)
    assert sorted(told(faults)) == [
        ("/form/a~1b", "minimum"),
        ("/form/code", "missing"),
        ("/form/colour", "any-of"),
        ("/form/mail", "format"),
        ("/form/on", "format"),
        ("/form/screens", "max-items"),
        ("/form/screens/1/width", "missing"),
        ("/form/screens/2", "type"),
        ("/form/size", "not-one-of"),
        ("/form/weight", "unknown-field"),
    ]
    assert secret not in json.dumps([(fault.pointer, fault.code, fault.message) for fault in faults])


def test_a_name_that_is_wrong_is_told_with_the_name() -> None:
    form = Form({"properties": {"a": {"propertyNames": {"pattern": "^[a-z]$", "minLength": 1}}}})
    assert told(form.faults({"a": {"b": 1, "B": 2, "c/d": 3}})) == [
        ("/form/a/B", "property-names"),
        ("/form/a/c~1d", "property-names"),
    ]
    nothing = Form({"type": "object", "additionalProperties": False})
    assert (told(nothing.faults({"a": 1, "b": 2})), nothing.faults({})) == ([("/form", "unknown-field")], [])


def test_what_is_as_the_form_asks_has_no_faults() -> None:
    form = Form(LAPTOP)
    assert form.faults({"size": "13", "code": "0815", "colour": None}) == []
    assert form.faults({"size": "15", "code": "0815", "screens": [{"width": 1}], "on": "2026-02-28"}) == []
    assert Form({"properties": {"a": {"format": "colour"}}}).faults({"a": "none of JSON Schema's"}) == []


MANY = {f"field{number}": "x" * 20 for number in range(1000)}
HOSTILE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "nested repetition": ({"properties": {"a": {"pattern": "^(a+)+$"}}}, {"a": "a" * 15_000 + "!"}),
    "a large automaton": ({"properties": {"a": {"pattern": "(?:[01]*1[01]{150})*x"}}}, {"a": "0110" * 4_000}),
    "many patterns for names": ({"patternProperties": {f"^a{{{n}}}b": False for n in range(1, 90)}}, MANY),
    "many missing fields": ({"required": [f"none{number}" for number in range(5000)]}, MANY),
    "many alternatives": ({"anyOf": [{"required": [f"none{number}"]} for number in range(2000)]}, MANY),
    "many items": ({"properties": {"a": {"items": {"type": "string"}}}}, {"a": [0] * 15_000}),
    "alternatives of items": ({"properties": {"a": {"items": {"oneOf": [{"type": "null"}] * 30}}}}, {"a": [0] * 9000}),
    "unevaluated in one another": (nested(7, unevaluatedProperties=False), {"x": 1, "y": 2}),
    "unevaluated in alternatives": ({"oneOf": [nested(6, unevaluatedProperties=False)] * 2}, {"x": 1, "y": 2}),
    "many names": ({"propertyNames": {"pattern": "^y"}}, MANY),
    "many names with much around": ({"propertyNames": {"maxLength": 3}}, {"a": "x" * 20_000} | MANY),
    "equal items": ({"properties": {"a": {"uniqueItems": True}}}, {"a": [{"b": n} for n in range(5000)]}),
    "a pattern as a value": ({"properties": {"a": {"format": "regex"}}}, {"a": "(" * 9000 + "a{999}" + ")" * 9000}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_form_holds_the_process_up(name: str) -> None:
    schema, answers = HOSTILE[name]
    begun = time.process_time()
    assert schema_faults(schema) == []
    assert len(Form(schema).faults(answers)) <= 100
    assert time.process_time() - begun < SECONDS_MAX


def test_what_cannot_all_be_told_is_told_as_one() -> None:
    schema, answers = HOSTILE["many missing fields"]
    assert told(Form(schema).faults(answers)) == [("/form", "form-invalid")]
    schema, answers = HOSTILE["alternatives of items"]
    assert told(Form(schema).faults(answers)) == [("/form", "too-complex")]


def test_a_form_of_a_usual_size_is_far_from_the_limits() -> None:
    columns = {f"c{n}": {"type": "string", "title": "A column", "maxLength": 200} for n in range(20)}
    rows = {"type": "array", "items": {"type": "object", "properties": columns, "required": list(columns)}}
    fields = {f"f{n}": {"type": "string", "title": "A field", "pattern": "^.{1,50}$"} for n in range(100)}
    schema = {"type": "object", "properties": {**fields, "rows": rows}, "required": [*fields, "rows"]}
    answers = dict.fromkeys(fields, "What somebody wrote") | {"rows": [dict.fromkeys(columns, "x")] * 50}
    effort = Effort(schema)
    effort.apply(schema, answers)
    assert effort.steps < STEPS_MAX / 2
    assert schema_faults(schema) == Form(schema).faults(answers) == []
    assert effort.can_tell_all


def test_steps_are_those_parts_of_a_schema_that_apply() -> None:
    schema = {"properties": {"a": {"type": "string"}, "b": {"items": {"type": "string"}}}, "minProperties": 1}

    def steps(value: Any) -> int:
        effort = Effort(schema)
        effort.apply(schema, value)
        return effort.steps

    assert (steps({}), steps({"a": 1}), steps({"b": [1, 2, 3]})) == (2, 4, 9)
    assert steps(ANYTHING) == 7
    with pytest.raises(TooMuchWorkError):
        steps({"b": [1] * STEPS_MAX})
