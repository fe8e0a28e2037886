"""Whether a client written for one API document still works with a later one: pure rules over the two.

What is sent may become wider and never narrower; what is shown may become more and never less or other.
"""

from collections.abc import Iterator
from typing import Any

Document = dict[str, Any]
Findings = Iterator[str]
_METHODS = ("get", "put", "post", "patch", "delete")
_AT_MOST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_AT_LEAST = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_DEPTH_MAX = 40


def breaking_changes(before: Document, after: Document) -> Findings:
    """Give a sentence for everything that breaks a client of the earlier document."""
    for path, item in before["paths"].items():
        if path not in after["paths"]:
            yield f"{path} is gone"
            continue
        for method in (method for method in _METHODS if method in item):
            if method not in after["paths"][path]:
                yield f"{method.upper()} {path} is gone"
            else:
                pair = _Pair(before, after, f"{method.upper()} {path}")
                yield from pair.operations(item[method], after["paths"][path][method])


class _Pair:
    """Two documents, compared for one operation; `sent` tells the schemas of requests from those of answers."""

    def __init__(self, before: Document, after: Document, name: str) -> None:
        self._before = before
        self._after = after
        self._name = name

    def operations(self, old: Any, new: Any) -> Findings:
        if old.get("operationId") != new.get("operationId"):
            yield f"{self._name} is called {new.get('operationId')} and was {old.get('operationId')}"
        yield from self._scopes(old.get("security", []), new.get("security", []))
        yield from self._parameters(old.get("parameters", []), new.get("parameters", []))
        yield from self._bodies(old.get("requestBody"), new.get("requestBody"))
        yield from self._answers(old["responses"], new["responses"])

    def _scopes(self, old: list[Any], new: list[Any]) -> Findings:
        had = {scope for requirement in old for scopes in requirement.values() for scope in scopes}
        needs = {scope for requirement in new for scopes in requirement.values() for scope in scopes}
        if new and not old:
            yield f"{self._name} needs a token"
        yield from (f"{self._name} needs the scope {scope}" for scope in sorted(needs - had))

    def _parameters(self, old: list[Any], new: list[Any]) -> Findings:
        had = {(one["in"], one["name"]): one for one in old}
        has = {(one["in"], one["name"]): one for one in new}
        for (where, name), one in had.items():
            if (where, name) not in has:
                yield f"{self._name}: the {where} parameter {name} is gone"
            else:
                later = has[where, name]
                if later.get("required") and not one.get("required"):
                    yield f"{self._name}: {name} must be sent now"
                yield from self._schemas(one["schema"], later["schema"], f"{self._name}: {name}", sent=True)
        for where, name in has.keys() - had.keys():
            if has[where, name].get("required"):
                yield f"{self._name}: the new {where} parameter {name} must be sent"

    def _bodies(self, old: Any, new: Any) -> Findings:
        if old is None:
            if new is not None and new.get("required"):
                yield f"{self._name}: a body must be sent now"
            return
        if new is None:
            yield f"{self._name}: no body is taken any more"
            return
        if new.get("required") and not old.get("required"):
            yield f"{self._name}: a body must be sent now"
        yield from self._contents(old, new, f"{self._name}: body", sent=True)

    def _answers(self, old: dict[str, Any], new: dict[str, Any]) -> Findings:
        for status, answer in old.items():
            if status.startswith(("2", "3")):
                if status not in new:
                    yield f"{self._name} does not answer {status} any more"
                    continue
                one, other = self._resolved(answer, new[status])
                for header in one.get("headers", {}).keys() - other.get("headers", {}).keys():
                    yield f"{self._name}: {status} has no {header} any more"
                yield from self._contents(one, other, f"{self._name}: {status}", sent=False)
        for status in new.keys() - old.keys():
            if status.startswith(("2", "3")):
                yield f"{self._name} may answer {status} now"

    def _contents(self, old: Any, new: Any, place: str, *, sent: bool) -> Findings:
        for kind, content in old.get("content", {}).items():
            if kind not in new.get("content", {}):
                yield f"{place}: {kind} is gone"
            elif "schema" in content:
                yield from self._schemas(content["schema"], new["content"][kind].get("schema", {}), place, sent=sent)

    def _resolved(self, old: Any, new: Any) -> tuple[Any, Any]:
        return _resolve(self._before, old), _resolve(self._after, new)

    def _schemas(self, old: Any, new: Any, place: str, *, sent: bool, depth: int = 0) -> Findings:
        if depth > _DEPTH_MAX or not isinstance(old, dict) or not isinstance(new, dict):
            return
        old, new = self._resolved(old, new)
        yield from _types(old, new, place, sent=sent)
        yield from _values(old, new, place, sent=sent)
        yield from _bounds(old, new, place, sent=sent)
        yield from self._fields(old, new, place, sent=sent, depth=depth)
        for part, name in (("items", "[]"), ("additionalProperties", ".*")):
            yield from self._schemas(old.get(part), new.get(part), place + name, sent=sent, depth=depth + 1)
        for part in ("anyOf", "oneOf"):
            yield from self._choices(old.get(part), new.get(part), place, sent=sent, depth=depth)

    def _fields(self, old: Any, new: Any, place: str, *, sent: bool, depth: int) -> Findings:
        had, has = old.get("properties", {}), new.get("properties", {})
        for name, schema in had.items():
            if name not in has:
                yield f"{place}.{name} is gone"
            else:
                yield from self._schemas(schema, has[name], f"{place}.{name}", sent=sent, depth=depth + 1)
        needed, needs = set(old.get("required", ())), set(new.get("required", ()))
        if sent:
            yield from (f"{place}.{name} must be sent now" for name in sorted(needs - needed))
        else:
            gone = sorted((needed - needs) & has.keys())
            yield from (f"{place}.{name} is not always there any more" for name in gone)

    def _choices(self, old: Any, new: Any, place: str, *, sent: bool, depth: int) -> Findings:
        """Compare alternatives by what they are: their references, or else their types."""
        if old is None and new is None:
            return
        had = {_choice(one): one for one in old or ()}
        has = {_choice(one): one for one in new or ()}
        if old and new:
            narrower, wider = had.keys() - has.keys(), has.keys() - had.keys()
            for choice in sorted(narrower if sent else wider):
                yield f"{place} {'takes no' if sent else 'may be'} {choice} {'any more' if sent else 'now'}"
            for choice in had.keys() & has.keys():
                yield from self._schemas(had[choice], has[choice], place, sent=sent, depth=depth + 1)
        else:
            yield f"{place} is told in another way"


def _types(old: Any, new: Any, place: str, *, sent: bool) -> Findings:
    had, has = _kinds(old), _kinds(new)
    if sent and has and (not had or had - has):
        yield f"{place} takes only {_listed(has)} now, and took {_listed(had) or 'anything'}"
    if not sent and had and (not has or has - had):
        yield f"{place} may be {_listed(has) or 'anything'} now, and was {_listed(had)}"
    if old.get("format") != new.get("format") and (new.get("format") if sent else old.get("format")):
        yield f"{place} has the format {new.get('format')} now, and had {old.get('format')}"


def _values(old: Any, new: Any, place: str, *, sent: bool) -> Findings:
    had, has = _allowed(old), _allowed(new)
    if sent and has is not None:
        if had is None:
            yield f"{place} takes only some values now"
        yield from (f"{place} takes no {value} any more" for value in sorted((had or set()) - has))
    if not sent and had is not None:
        if has is None:
            yield f"{place} may be any value now"
        yield from (f"{place} may be {value} now" for value in sorted((has or set()) - had))


def _bounds(old: Any, new: Any, place: str, *, sent: bool) -> Findings:
    if not sent:
        return
    for name in (*_AT_MOST, *_AT_LEAST):
        had, has = old.get(name), new.get(name)
        if has is not None and (had is None or (has < had if name in _AT_MOST else has > had)):
            yield f"{place} has {name} {has} now"
    if new.get("pattern") is not None and new.get("pattern") != old.get("pattern"):
        yield f"{place} has the pattern {new['pattern']} now"
    if new.get("additionalProperties") is False and old.get("additionalProperties") is not False:
        yield f"{place} takes no further fields any more"


def _resolve(document: Document, part: Any) -> Any:
    while isinstance(part, dict) and "$ref" in part:
        further = {name: value for name, value in part.items() if name != "$ref"}
        found: Any = document
        for piece in part["$ref"].removeprefix("#/").split("/"):
            found = found[piece]
        part = {**found, **further}
    return part


def _kinds(schema: Any) -> set[str]:
    kinds = schema.get("type", ())
    found = {kinds} if isinstance(kinds, str) else set(kinds)
    return found | {"integer"} if "number" in found else found


def _allowed(schema: Any) -> set[str] | None:
    if "const" in schema:
        return {str(schema["const"])}
    return {str(value) for value in schema["enum"]} if "enum" in schema else None


def _choice(schema: Any) -> str:
    reference = schema.get("$ref")
    if isinstance(reference, str):
        return reference.rpartition("/")[2]
    return _listed(_kinds(schema)) + (f" {schema['format']}" if "format" in schema else "")


def _listed(kinds: set[str]) -> str:
    return " or ".join(sorted(kinds))
