"""What a client says of a project, as the columns that keep it."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from chassis.rejection import Fault, Rejection, invalid
from chassis.schemas import merged_labels

_DOCUMENTS = frozenset({"constraints", "success_criteria", "target_service", "origin"})


def columns(sent: BaseModel, names: frozenset[str], currency: str) -> dict[str, Any]:
    """Return these fields as columns; money must be of the project's currency."""
    drafted: dict[str, Any] = {name: getattr(sent, name) for name in names}
    for name in _DOCUMENTS & names:
        drafted[name] = _document(drafted[name])
    limit = drafted.get("budget_limit")
    if limit is not None:
        drafted["budget_limit"] = amount_of(limit, currency, "/budget_limit")
    return drafted


def amount_of(money: Any, currency: str, pointer: str) -> Any:
    """Return the amount of some money, or None; refuse another currency than the project's."""
    if money is None:
        return None
    if money.currency != currency:
        message = f"All money of the project is {currency}."
        raise invalid(Fault(f"{pointer}/currency", "currency-differs", message))
    return money.amount


def with_labels_merged(row: Mapping[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return the changes of a merge patch with the labels as they become."""
    if "labels" in changes:
        changes["labels"] = merged_labels(row["labels"], changes["labels"])
    return changes


def refuse_other_currency(row: Mapping[str, Any], currency: str) -> None:
    """Refuse to change the currency of a project."""
    if row["currency"] != currency:
        raise invalid(Fault("/currency", "immutable", "The currency of a project never changes."))


def needed(name: str) -> Fault:
    """Say that a field is missing."""
    return Fault(f"/{name}", "missing", "This is needed.")


def incomplete(sent: BaseModel, *names: str) -> Rejection | None:
    """Refuse a new resource that lacks one of these fields."""
    missing = [needed(name) for name in names if getattr(sent, name) is None]
    return invalid(*missing) if missing else None


def _document(value: Any) -> Any:
    if isinstance(value, list):
        return [_document(item) for item in value]
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else value
