"""What a service answers when it will not do what it was asked; it knows no HTTP."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

Kind = Literal[
    "malformed",
    "unauthenticated",
    "forbidden",
    "not_found",
    "conflict",
    "gone",
    "stale",
    "too_large",
    "unsupported",
    "invalid",
    "precondition_required",
    "rate_limited",
    "unavailable",
]


@dataclass(frozen=True, slots=True)
class Fault:
    """One wrong place of an input: a JSON pointer (or a query parameter's name), a code, a sentence."""

    pointer: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class UnmetGuard:
    """One reason why a command may not happen now; `ref` names the resource it is about, if any."""

    code: str
    message: str
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class Quota:
    """A quota that is used up: so many requests in so many seconds under the policy's name, and when there is more."""

    policy: str
    requests: int
    window_seconds: int
    more_in_seconds: int


class Rejection(Exception):  # noqa: N818  (a refusal is an answer, not an error)
    """A refusal with a stable code a client can act on.

    `faults` say where an input is wrong, `guards` which rules are unmet, `extra` what else the caller is told
    (its names appear as members of the problem document), `current` the present representation of a stale
    resource and its version, `quota` which limit was reached.
    """

    def __init__(
        self,
        kind: Kind,
        code: str,
        detail: str,
        *,
        faults: Sequence[Fault] = (),
        guards: Sequence[UnmetGuard] = (),
        extra: dict[str, Any] | None = None,
        current: tuple[str, int] | None = None,
        retry_after_seconds: int | None = None,
        quota: Quota | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind: Kind = kind
        self.code = code
        self.detail = detail
        self.faults = tuple(faults)
        self.guards = tuple(guards)
        self.extra = extra or {}
        self.current = current
        self.retry_after_seconds = retry_after_seconds
        self.quota = quota

    @property
    def unmet(self) -> tuple[UnmetGuard, ...]:
        """The rules that stand against it: if none is said, the one it is, unless that passes by itself."""
        if self.guards or self.kind != "conflict" or self.retry_after_seconds is not None or "available" in self.extra:
            return self.guards
        return (UnmetGuard(self.code, self.detail),)

    def forget_its_way(self) -> None:
        """Let go of the frames it came through: one that is a constant would collect those of every request."""
        self.__traceback__ = self.__context__ = self.__cause__ = None

    def anew(self) -> Self:
        """Return an equal one to be raised: a constant would keep the trace of each time, and all that it holds."""
        return type(self)(
            self.kind,
            self.code,
            self.detail,
            faults=self.faults,
            guards=self.guards,
            extra=dict(self.extra),
            current=self.current,
            retry_after_seconds=self.retry_after_seconds,
            quota=self.quota,
        )


class Overtaken(Rejection):
    """Others were faster: nothing of the operation was done, and done anew from its beginning it may well pass."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__("unavailable", code, detail, retry_after_seconds=1)

    def anew(self) -> Self:
        """Return an equal one to be raised."""
        return type(self)(self.code, self.detail)


def too_many(detail: str, quota: Quota) -> Rejection:
    """Refuse what comes too often, telling the quota and when to come back."""
    return Rejection(
        "rate_limited", "too-many-requests", detail, retry_after_seconds=quota.more_in_seconds, quota=quota
    )


def invalid(*faults: Fault) -> Rejection:
    """Refuse an input that is well formed but wrong in the places named."""
    return Rejection("invalid", "invalid-input", "The request has wrong or unknown fields.", faults=faults)


def not_found(what: str) -> Rejection:
    """Refuse what does not exist, or exists in another organisation only."""
    return Rejection("not_found", "not-found", f"There is no such {what}.")
