"""Forms: whether a schema makes one, and whether what somebody filled in is as it asks.

Patterns run on an engine whose time grows with the length of the text and no faster; it knows neither look-around nor
back-references. Nothing is ever fetched. No fault repeats what was sent.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any
from uuid import UUID

from jsonschema_rs import Draft202012Validator, RegexOptions, ValidationError

from chassis.faults import FAULTS_MAX, pointer_to
from chassis.rejection import Fault
from service_catalog.catalogue_items.effort import ANYTHING, BadReferenceError, Effort, TooMuchWorkError, definitions

DIALECT = "https://json-schema.org/draft/2020-12/schema"
KNOWN_MAX = 100
PATTERN_BYTES_MAX = 256 * 1024  # of a compiled pattern
_PATTERNS = RegexOptions(size_limit=PATTERN_BYTES_MAX, dfa_size_limit=1024 * 1024)
_OF_SCHEMAS = Draft202012Validator({"$ref": DIALECT}, offline=True, pattern_options=_PATTERNS)
_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_CODES = {"required": "missing", "enum": "not-one-of", "const": "not-one-of", "falseSchema": "not-allowed"}
_UNKNOWN = frozenset({"additionalProperties", "unevaluatedProperties"})
_SENTENCES = {
    "missing": "This is needed.",
    "unknown-field": "There is no such field.",
    "not-one-of": "This is none of the values there are.",
    "not-allowed": "This may not be there.",
    "property-names": "The form has no field of such a name.",
    "pattern": "This is not written as the form asks.",
    "format": "This is not written as the form asks.",
    "type": "This is of another type than the form asks for.",
}


def schema_faults(schema: Mapping[str, Any], place: str = "/form_schema") -> list[Fault]:
    """Return why a schema makes no form.

    It is none, is one of something else than an object, refers to what it may not, or takes too much work.
    """
    faults = _faults(_OF_SCHEMAS, schema, place)
    if schema.get("$schema", DIALECT) != DIALECT:
        faults.append(Fault(f"{place}/$schema", "not-one-of", f"A form's schema is one of {DIALECT}."))
    if not faults and not _allows_objects(schema.get("type", "object")):
        faults.append(Fault(f"{place}/type", "not-one-of", "This has to allow an object, as a filled-in form is one."))
    if faults:
        return faults
    effort = Effort(schema)
    try:
        effort.apply(schema, ANYTHING)
        for way, definition in definitions(schema):
            effort.apply(definition, ANYTHING, way)
    except BadReferenceError as error:
        return [Fault(f"{place}{error.fault.pointer}", error.fault.code, error.fault.message)]
    except TooMuchWorkError:
        return [Fault(place, "too-complex", "The schema is nested too deeply, or takes too many steps.")]
    try:
        Form(schema)
    except ValidationError as error:
        where = f"{place}{pointer_to(error.instance_path)}"
        if error.kind.name == "format":
            told = "This is no pattern, too large a one, or one that looks around or back."
            return [Fault(where, "pattern-unsupported", told)]
        return [Fault(where, "schema-invalid", "This is no JSON Schema.")]
    return []


def _allows_objects(type_: str | Sequence[str]) -> bool:
    return type_ == "object" if isinstance(type_, str) else "object" in type_


class Form:
    """A schema that makes a form, ready to judge what was filled in."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = schema
        self._validator = Draft202012Validator(
            dict(schema), validate_formats=True, offline=True, pattern_options=_PATTERNS
        )

    def faults(self, answers: Mapping[str, Any], place: str = "/form") -> list[Fault]:
        """Return everything that is not as the form asks: a hundred faults at most."""
        effort = Effort(self._schema)
        try:
            effort.apply(self._schema, answers)
        except TooMuchWorkError:
            return [Fault(place, "too-complex", "This is more than the form's schema can be held against.")]
        if self._validator.is_valid(answers):
            return []
        if effort.can_tell_all:
            return _faults(self._validator, answers, place)
        return [Fault(place, "form-invalid", "This is not as the form asks, in more places than can be told.")]


def _faults(validator: Draft202012Validator, document: Mapping[str, Any], place: str) -> list[Fault]:
    found: dict[Fault, None] = {}
    for error in validator.iter_errors(document):
        for fault in _told(error, place):
            found[fault] = None
        if len(found) >= FAULTS_MAX:
            break
    return list(islice(found, FAULTS_MAX))


def _told(error: ValidationError, place: str) -> list[Fault]:
    """Return the faults of one error of the engine, at the field that lacks or is not known."""
    kind, where = error.kind, f"{place}{pointer_to(error.instance_path)}"
    if kind.name == "required":
        return [_fault(f"{where}{pointer_to([kind.as_dict()['property']])}", "missing")]
    if kind.name == "propertyNames":
        return [_fault(f"{where}{pointer_to([kind.as_dict()['error'].instance])}", "property-names")]
    if kind.name == "falseSchema" and list(error.schema_path)[-1:] == ["additionalProperties"]:
        return [Fault(where, "unknown-field", "This has no fields.")]
    if kind.name in _UNKNOWN:
        return [_fault(f"{where}{pointer_to([name])}", "unknown-field") for name in kind.as_dict()["unexpected"]]
    return [_fault(where, _CODES.get(kind.name) or _CAPITAL.sub("-", kind.name).lower())]


def _fault(where: str, code: str) -> Fault:
    return Fault(where, code, _SENTENCES.get(code, f"This breaks the rule {code}."))


class KnownForms:
    """The forms of catalogue items, made ready once a version."""

    def __init__(self) -> None:
        self._known: dict[tuple[UUID, int], Form] = {}

    def of(self, item: Mapping[str, Any]) -> Form:
        """Return the form of an item that has one."""
        version = (item["id"], item["form_version"])
        known = self._known.get(version)
        if known is None:
            known = Form(item["form_schema"])
            if len(self._known) >= KNOWN_MAX:
                self._known.pop(next(iter(self._known)))
            self._known[version] = known
        return known
