"""Load the demonstration into the platform that runs at PORT, and print its figures and where to look."""

import os
import sys

import httpx

from tandem_local.cli import token
from tandem_local.demo import project_side, service_side
from tandem_local.demo.gateway import Gateway, RefusedError, tell
from tandem_local.home import Home

SHOWN = ("bac", "pv", "ev", "ac", "sv", "cv", "spi", "cpi", "eac", "earned_schedule_at", "sv_time", "spi_time")


def main() -> None:
    """Run the demonstration; what was loaded before is left as it is."""
    address = f"http://127.0.0.1:{os.environ.get('PORT') or 8080}"
    try:
        with Gateway.at(address, token(Home.from_environment())) as gateway:
            service_id = service_side.load(gateway)
            project_id = project_side.load(gateway)
            _show(gateway, address, service_id, project_id)
    except httpx.ConnectError:
        sys.exit(f"Nothing answers at {address}. Start the platform with `make run` in another terminal.")
    except RefusedError as refusal:
        sys.exit(str(refusal))


def _show(gateway: Gateway, address: str, service_id: str, project_id: str) -> None:
    tell(f"\nThe service, {service_side.FROM} to {service_side.TO}:")
    for code, envelope in service_side.figures(gateway, service_id):
        tell(f"  {code:<20} {envelope['value']} {envelope['unit']}")
    tell("\nThe project, at its last status time:")
    figures = project_side.figures(gateway, project_id)
    for name in SHOWN:
        tell(f"  {name:<20} {figures[name]['value']}")
    tell("\nWhere to look (each with `Authorization: Bearer $(make -s token)`):")
    for path in (
        f"/service-catalog/v1/services/{service_id}",
        f"/service-catalog/v1/outages?service_id={service_id}",
        f"/project-tracker/v1/projects/{project_id}/schedule",
        f"/kpi-engine/v1/projects/{project_id}/earned-value?status_at={project_side.plan_data()['status_at']}",
        "/kpi-engine/v1/kpis",
    ):
        tell(f"  {address}{path}")
    tell(f"  {address}/docs (without a token)")


if __name__ == "__main__":
    main()
