"""Why one service cannot depend on another."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from chassis.rejection import Fault, Rejection, UnmetGuard
from service_catalog.services.lifecycle import OVER


def itself(pointer: str) -> Fault:
    """Return that a service was named as what it depends on itself."""
    return Fault(pointer, "reference-to-itself", "A service does not depend on itself.")


def over(other: Mapping[str, Any]) -> Rejection | None:
    """Refuse to depend on a service that is over; `other` is its card."""
    if other["state"] not in OVER:
        return None
    guard = UnmetGuard("depends_on_existing", f"{other['key']} is {other['state']}.", f"services/{other['id']}")
    return Rejection("conflict", "guards-unmet", "Nothing depends on a service that is over.", guards=[guard])


def cycle(other: UUID) -> Rejection:
    """Refuse what would close a cycle."""
    message = "It depends on this service already, directly or through others."
    guard = UnmetGuard("no_cycle", message, f"services/{other}")
    return Rejection("conflict", "dependency-cycle", "The dependency would close a cycle.", guards=[guard])
