"""State machines as data: one table a resource, from which come the decision, what may be done next, and the docs."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from chassis.rejection import Rejection, UnmetGuard

Subject = TypeVar("Subject")


def is_said(text: str | None) -> bool:
    """Tell whether a text says something, as guards that ask for one take it: blanks do not."""
    return bool(text and text.strip())


@dataclass(frozen=True, slots=True)
class Guard(Generic[Subject]):
    """A named condition of a transition: `refuse` returns a sentence saying what is missing, or None.

    `about` returns the path below `/v1` of what stands in the way, of several the first.
    """

    code: str
    refuse: Callable[[Subject], str | None]
    about: Callable[[Subject], str | None] | None = None

    def unmet(self, subject: Subject) -> UnmetGuard | None:
        """Return why the subject does not meet this guard, or None."""
        message = self.refuse(subject)
        if message is None:
            return None
        return UnmetGuard(self.code, message, None if self.about is None else self.about(subject))


@dataclass(frozen=True, slots=True)
class Transition(Generic[Subject]):
    """One way from a state to another; `verb` is the past participle that names its event."""

    source: str
    target: str
    verb: str
    guards: tuple[Guard[Subject], ...] = ()


@dataclass(frozen=True)
class Lifecycle(Generic[Subject]):
    """All states and transitions of one resource; there is at most one transition from a state to another."""

    name: str
    initial: str
    transitions: Sequence[Transition[Subject]]
    states: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        names = dict.fromkeys(
            [self.initial, *(state for one in self.transitions for state in (one.source, one.target))]
        )
        object.__setattr__(self, "states", tuple(names))

    def way(self, state: str, to: str) -> Transition[Subject] | None:
        """Return the transition from a state to another, None if there is none."""
        return next((one for one in self.transitions if (one.source, one.target) == (state, to)), None)

    def unmet(self, transition: Transition[Subject], subject: Subject) -> list[UnmetGuard]:
        """Return every guard that stands in the way."""
        return [unmet for guard in transition.guards if (unmet := guard.unmet(subject)) is not None]

    def available(self, state: str, subject: Subject) -> list[dict[str, Any]]:
        """Return where one may go from a state, each with the guards that stand in the way."""
        return [
            {
                "to": transition.target,
                "unmet_guards": [
                    {"code": unmet.code, "message": unmet.message, "ref": unmet.ref}
                    for unmet in self.unmet(transition, subject)
                ],
            }
            for transition in self.transitions
            if transition.source == state
        ]

    def decide(self, state: str, to: str, subject: Subject, *, waived: Collection[str] = ()) -> Transition[Subject]:
        """Return the transition, or refuse with all that speaks against it but for the guards that are waived."""
        transition = self.way(state, to)
        if transition is None:
            raise Rejection(
                "conflict",
                "transition-not-allowed",
                f"{self.name} cannot become {to} from {state}.",
                extra={"available": self.available(state, subject)},
            )
        unmet = [one for one in self.unmet(transition, subject) if one.code not in waived]
        if unmet:
            raise Rejection("conflict", "guards-unmet", f"{self.name} cannot become {to} yet.", guards=unmet)
        return transition
