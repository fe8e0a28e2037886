"""The settings of kpi-engine."""

from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    """The settings all services have; this one needs no others."""

    service_name: str = "kpi-engine"
