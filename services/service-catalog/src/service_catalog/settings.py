"""What service-catalog is told by its environment."""

from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    """The settings of service-catalog."""

    service_name: str = "service-catalog"
