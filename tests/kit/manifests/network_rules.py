"""Rules about who may talk to whom. Where no network policies are rendered they have nothing to say."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from manifests.objects import Object, called, hosts_named, of_kind, selects, title, workloads

BOTH = {"Ingress", "Egress"}
DATABASE_PORT = 5432
DATABASE_LABEL = "cnpg.io/cluster"
Conversation = tuple[Mapping[str, str], str, Mapping[str, str], set[str | int | None]]
"""The caller's labels, what the called one is called, its labels, and its port by name and number."""


def traffic_is_denied_at_first(objects: Sequence[Object]) -> Iterator[str]:
    """One policy denies everything to everyone; every workload and database has one of its own besides."""
    policies = list(of_kind(objects, "NetworkPolicy"))
    if not policies:
        return
    if not any(_denies_everything(policy["spec"]) for policy in policies):
        yield "no NetworkPolicy denies everything"
    groups = {workload.title: workload.labels for workload in workloads(objects)}
    groups |= {title(each): {DATABASE_LABEL: each["metadata"]["name"]} for each in of_kind(objects, "Cluster")}
    own = [policy["spec"] for policy in policies if policy["spec"]["podSelector"]]
    for name, labels in groups.items():
        if not any(selects(spec["podSelector"], labels) and set(spec["policyTypes"]) == BOTH for spec in own):
            yield f"{name}: has no NetworkPolicy of its own"


def _denies_everything(spec: Mapping[str, Any]) -> bool:
    return not spec["podSelector"] and set(spec["policyTypes"]) == BOTH and not BOTH & {key.title() for key in spec}


def policies_name_ports_that_are_there(objects: Sequence[Object]) -> Iterator[str]:
    """A port that a policy names is a port of some workload."""
    known = {name for workload in workloads(objects) for name in workload.ports}
    if next(of_kind(objects, "Cluster"), None):
        known.add("metrics")
    for policy in of_kind(objects, "NetworkPolicy"):
        for rule in [*policy["spec"].get("ingress", ()), *policy["spec"].get("egress", ())]:
            for port in rule.get("ports", ()):
                if isinstance(port.get("port"), str) and port["port"] not in known:
                    yield f"{title(policy)}: nobody has a port {port['port']}"


def whoever_is_told_an_address_may_call_it(objects: Sequence[Object]) -> Iterator[str]:
    """What the settings of one name of another is permitted on both sides; likewise each one's database."""
    policies = [policy["spec"] for policy in of_kind(objects, "NetworkPolicy")]
    for caller, name, callee, port in _conversations(objects) if policies else ():
        if not is_permitted(policies, caller, callee, port):
            yield f"{caller['app.kubernetes.io/name']} {caller['app.kubernetes.io/component']}: may not call {name}"


def _conversations(objects: Sequence[Object]) -> Iterator[Conversation]:
    every = workloads(objects)
    for caller in every:
        told = caller.environment(objects)
        cluster = str(told.get("TANDEM_DATABASE_HOST")).removesuffix("-rw")
        if called(objects, "Cluster", cluster):
            yield caller.labels, cluster, {DATABASE_LABEL: cluster}, {DATABASE_PORT}
        if caller.owner["kind"] == "Job":
            continue  # a migration is told where the keys are and asks for none
        for host in {host for value in told.values() for host, _ in hosts_named(value or "")}:
            service = called(objects, "Service", host)
            for callee in every if service else ():
                if service and selects({"matchLabels": service["spec"]["selector"]}, callee.labels):
                    port = service["spec"]["ports"][0]["targetPort"]
                    yield caller.labels, callee.title, callee.labels, {port, callee.ports.get(port)}


def nobody_enters_anothers_database(objects: Sequence[Object]) -> Iterator[str]:
    """A database is entered by its own service alone."""
    policies = [policy["spec"] for policy in of_kind(objects, "NetworkPolicy")]
    for cluster in of_kind(objects, "Cluster") if policies else ():
        name = cluster["metadata"]["name"]
        for caller in workloads(objects):
            if caller.environment(objects).get("TANDEM_DATABASE_HOST") != f"{name}-rw" and is_permitted(
                policies, caller.labels, {DATABASE_LABEL: name}, {DATABASE_PORT}
            ):
                yield f"{caller.title}: may enter {name}"


def is_permitted(
    policies: Sequence[Mapping[str, Any]],
    caller: Mapping[str, str],
    callee: Mapping[str, str],
    port: set[str | int | None],
) -> bool:
    """Say whether pods with one set of labels may open a connection to those with another, within the namespace."""
    return _lets(policies, "egress", "to", caller, callee, port) and _lets(
        policies, "ingress", "from", callee, caller, port
    )


def _lets(
    policies: Sequence[Mapping[str, Any]],
    direction: str,
    peers: str,
    own: Mapping[str, str],
    other: Mapping[str, str],
    port: set[str | int | None],
) -> bool:
    concerned = [p for p in policies if direction.title() in p["policyTypes"] and selects(p["podSelector"], own)]
    if not concerned:
        return True
    return any(
        (not rule.get("ports") or any(each.get("port") in port for each in rule["ports"]))
        and (not rule.get(peers) or any(_is_peer(peer, other) for peer in rule[peers]))
        for policy in concerned
        for rule in policy.get(direction, ())
    )


def _is_peer(peer: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    return "podSelector" in peer and "namespaceSelector" not in peer and selects(peer["podSelector"], labels)
