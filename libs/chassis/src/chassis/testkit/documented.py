"""Answers held against the API document: what a service does not document, it may not answer."""

import re
from functools import cache
from typing import Any

import httpx
from jsonschema_rs import Draft202012Validator

from chassis.http.problems import PROBLEM_JSON

_UNDOCUMENTED = frozenset({405, 406})  # of methods and paths that there are not


class Documented:
    """Raises AssertionError where an answer is not as the document says: its status, its type, its body."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._paths = [(_pattern(path), path) for path in sorted(document["paths"], key=_variables)]
        self._validator = cache(self._make_validator)

    async def __call__(self, response: httpx.Response) -> None:
        """Check one answer; for the event hooks of a client."""
        request = response.request
        path = self._path(request.url.path)
        method = "get" if request.method == "HEAD" else request.method.lower()
        told = self._document["paths"].get(path, {}).get(method)
        if told is None or response.status_code in _UNDOCUMENTED:
            return
        name, status = f"{request.method} {path}", str(response.status_code)
        if status not in told["responses"]:
            await response.aread()
            raise AssertionError(f"{name} does not document {status}: {response.text[:500]}")
        kind = response.headers.get("content-type", "").partition(";")[0]
        content = self._resolved(told["responses"][status]).get("content", {})
        if content and kind not in content:
            raise AssertionError(f"{name} answers {status} with {kind}, not with {' or '.join(content)}")
        if content and request.method != "HEAD" and "fields" not in request.url.params:
            await response.aread()
            self._judge(path or "", method, status, kind, response)

    def _path(self, path: str) -> str | None:
        return next((template for pattern, template in self._paths if pattern.fullmatch(path)), None)

    def _judge(self, path: str, method: str, status: str, kind: str, response: httpx.Response) -> None:
        validator = self._validator(path, method, status, kind)
        faults = [f"{error.instance_path}: {error.message[:300]}" for error in validator.iter_errors(response.json())]
        if faults:
            raise AssertionError(f"{method.upper()} {path} does not answer {status} as documented: {faults[:5]}")

    def _make_validator(self, path: str, method: str, status: str, kind: str) -> Draft202012Validator:
        answer = self._document["paths"][path][method]["responses"][status]
        schema = self._resolved(answer)["content"][kind].get("schema", {})
        if kind == PROBLEM_JSON:
            schema = {**schema, "properties": {"status": {"const": int(status)}}}
        return Draft202012Validator(
            {**schema, "components": {"schemas": self._document["components"]["schemas"]}}, validate_formats=True
        )

    def _resolved(self, part: dict[str, Any]) -> dict[str, Any]:
        reference: str | None = part.get("$ref")
        if reference is None:
            return part
        found: dict[str, Any] = self._document["components"]["responses"][reference.rpartition("/")[2]]
        return found


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path)))


def _variables(path: str) -> tuple[int, str]:
    """Sort fixed paths before those with variables, as requests find their routes."""
    return path.count("{"), path
