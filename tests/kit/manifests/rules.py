"""Every rule there is, by name."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache

from manifests import alert_rules, network_rules, pod_rules, whole_rules
from manifests.objects import Object
from manifests.rendering import KUBERNETES

Rule = Callable[[Sequence[Object]], Iterator[str]]


@cache
def secrets_made() -> dict[str, set[str]]:
    """Return name and keys of each Secret that `credentials.py` makes."""
    done = subprocess.run(
        [sys.executable, str(KUBERNETES / "credentials.py")], capture_output=True, text=True, check=True
    )
    return {each["metadata"]["name"]: set(each["stringData"]) for each in json.loads(done.stdout)["items"]}


def secrets_are_known(objects: Sequence[Object]) -> Iterator[str]:
    """Every Secret that is referred to, and each key of it, is one of those made; none is rendered."""
    return whole_rules.secrets_are_known(objects, secrets_made())


RULES: dict[str, Rule] = {
    rule.__name__: rule
    for rule in (
        pod_rules.ports_have_short_names,
        pod_rules.probes_are_there,
        pod_rules.living_depends_on_nothing,
        pod_rules.volumes_are_there,
        pod_rules.resources_are_bounded,
        pod_rules.stopping_fits_the_grace_period,
        pod_rules.whoever_is_called_says_that_it_goes,
        pod_rules.whoever_drains_is_passed_over_first,
        pod_rules.whoever_waits_for_an_event_is_answered,
        pod_rules.pods_have_no_rights,
        pod_rules.pods_have_no_token,
        pod_rules.images_have_a_version,
        pod_rules.migrations_are_called_after_their_image,
        pod_rules.copies_are_spread,
        pod_rules.no_copy_goes_before_its_successor,
        whole_rules.selectors_pick_their_pods,
        whole_rules.services_lead_to_ports,
        whole_rules.copies_are_called_at_their_own_port,
        whole_rules.disruptions_are_limited,
        whole_rules.configuration_is_there,
        whole_rules.configuration_starts_pods_anew,
        secrets_are_known,
        whole_rules.addresses_lead_somewhere,
        whole_rules.databases_are_the_services,
        whole_rules.environment_is_known,
        whole_rules.metrics_are_where_they_are_read,
        whole_rules.scaled_workloads_state_no_copies,
        whole_rules.connections_fit_the_database,
        whole_rules.the_log_fits_its_volume,
        whole_rules.everything_is_in_the_restricted_namespace,
        whole_rules.nothing_stands_twice,
        network_rules.traffic_is_denied_at_first,
        network_rules.policies_name_ports_that_are_there,
        network_rules.whoever_is_told_an_address_may_call_it,
        network_rules.nobody_enters_anothers_database,
        alert_rules.alerts_have_a_page,
        alert_rules.pages_have_an_alert,
        alert_rules.alerts_count_what_is_counted,
    )
}
