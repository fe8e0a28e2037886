"""All lifecycles of service-catalog, and the page of the documentation that shows them."""

import sys
from collections.abc import Mapping
from typing import Any

from chassis.diagrams import page
from chassis.lifecycle import Lifecycle
from service_catalog.acceptance.lifecycle import LIFECYCLE as CRITERION
from service_catalog.catalogue_items.lifecycle import LIFECYCLE as ITEM
from service_catalog.changes.lifecycle import LIFECYCLE as CHANGE
from service_catalog.handovers.lifecycle import LIFECYCLE as HANDOVER
from service_catalog.improvements.lifecycle import LIFECYCLE as IMPROVEMENT
from service_catalog.incidents.lifecycle import LIFECYCLE as INCIDENT
from service_catalog.maintenance_windows.lifecycle import LIFECYCLE as WINDOW
from service_catalog.outages.lifecycle import LIFECYCLE as OUTAGE
from service_catalog.problems.lifecycle import LIFECYCLE as PROBLEM
from service_catalog.requests.lifecycle import LIFECYCLE as REQUEST
from service_catalog.services.lifecycle import LIFECYCLE as SERVICE

LIFECYCLES: Mapping[str, Lifecycle[Any]] = {
    "Service": SERVICE,
    "Acceptance criterion": CRITERION,
    "Incident": INCIDENT,
    "Problem": PROBLEM,
    "Outage": OUTAGE,
    "Maintenance window": WINDOW,
    "Change": CHANGE,
    "Improvement": IMPROVEMENT,
    "Catalogue item": ITEM,
    "Service request": REQUEST,
    "Handover": HANDOVER,
}
_INTRODUCTION = (
    "Made by `make lifecycles` out of the tables that decide; do not edit. An arrow is named after its event, "
    "`tandem.<resource>.<event>.v1`. A command is refused with all guards that are unmet at once."
)


def document() -> str:
    """Return the page as Markdown."""
    return page("Lifecycles of service-catalog", _INTRODUCTION, LIFECYCLES)


if __name__ == "__main__":
    sys.stdout.write(document())
