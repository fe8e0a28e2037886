"""The timers of service requests; one's timer is locked after the request itself."""

from service_catalog.clocks.timers import Timers
from service_catalog.requests.tables import service_request_timer

TIMERS = Timers(service_request_timer, "service_request_id")
