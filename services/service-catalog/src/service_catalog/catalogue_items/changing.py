"""What a catalogue item is kept as: its price in columns, its form with the number of its version."""

from collections.abc import Mapping
from typing import Any

from chassis.rejection import Fault, invalid
from service_catalog.catalogue_items.forms import schema_faults
from service_catalog.catalogue_items.lifecycle import PUBLISHED

NO_FORM: dict[str, Any] = {"form_schema": None, "form_version": 0}


def columns_of(changes: Mapping[str, Any], before: Mapping[str, Any] = NO_FORM) -> dict[str, Any]:
    """Return the columns that changes come to; a form that is another one has the next version."""
    columns = {name: value for name, value in changes.items() if name != "price"}
    if "price" in changes:
        price = changes["price"]
        columns["price_amount"] = None if price is None else price.amount
        columns["price_currency"] = None if price is None else price.currency
    if "form_schema" in changes:
        schema, present = changes["form_schema"], before["form_schema"]
        is_another = schema is not None and schema != present
        columns["form_version"] = before["form_version"] + is_another
    return columns


def faults_of(columns: Mapping[str, Any], before: Mapping[str, Any], state: str) -> list[Fault]:
    """Return what is wrong with a catalogue item as it is to be: its form, and that it has none though published."""
    schema = columns.get("form_schema", before["form_schema"])
    if schema is None and state == PUBLISHED:
        return [Fault("/form_schema", "missing", "What is published has a form_schema.")]
    if schema is None or schema == before["form_schema"]:
        return []
    return schema_faults(schema)


def sound(columns: dict[str, Any], before: Mapping[str, Any], state: str) -> dict[str, Any]:
    """Return the columns, or refuse what is wrong with them."""
    faults = faults_of(columns, before, state)
    if faults:
        raise invalid(*faults)
    return columns
