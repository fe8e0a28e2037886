"""Rules about each workload by itself. A rule yields a sentence for each fault."""

import re
from collections.abc import Iterator, Sequence

from chassis.events import feed, waiting
from chassis.settings import PREFIX, ServerSettings
from manifests.objects import Object, Workload, quantity, workloads
from manifests.rendering import REPOSITORY

PORT_NAME_MAX = 15
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
CLOSING_SECONDS = 5  # to close pools and flush logs, after the last request
LONGEST_WAIT_SECONDS = max(feed.WAIT_SECONDS_MAX, waiting.WAIT_SECONDS_MAX)
FOUND_SECONDS = 10  # names are kept for 5 s where they are looked up, and looked up every 5 s


def ports_have_short_names(objects: Sequence[Object]) -> Iterator[str]:
    """A port's name has at most 15 characters, with a letter, and stands once."""
    for workload in workloads(objects):
        names = [port.get("name", "") for port in workload.container.get("ports", ())]
        for name in names:
            if not re.fullmatch(r"(?=.*[a-z])[a-z0-9]([-a-z0-9]*[a-z0-9])?", name) or len(name) > PORT_NAME_MAX:
                yield f"{workload.title}: the port name {name!r} is not one"
        if len(set(names)) < len(names):
            yield f"{workload.title}: two ports of one name"


def probes_are_there(objects: Sequence[Object]) -> Iterator[str]:
    """What runs all the time is asked whether it has started, is ready, and lives, at ports it has."""
    for workload in workloads(objects, "Deployment"):
        for name in PROBES:
            probe = workload.container.get(name)
            if probe is None:
                yield f"{workload.title}: no {name}"
                continue
            asked = probe.get("httpGet") or probe.get("tcpSocket") or {}
            if asked.get("port") not in workload.ports:
                yield f"{workload.title}: {name} asks at the port {asked.get('port')!r}, which it has not"


def living_depends_on_nothing(objects: Sequence[Object]) -> Iterator[str]:
    """What is not ready is not killed for it."""
    for workload in workloads(objects, "Deployment"):
        path = workload.container.get("livenessProbe", {}).get("httpGet", {}).get("path", "")
        if "ready" in path:
            yield f"{workload.title}: would be killed when it is not ready"


def volumes_are_there(objects: Sequence[Object]) -> Iterator[str]:
    """Every mount has its volume and every volume is mounted."""
    for workload in workloads(objects):
        mounted = {mount["name"] for mount in workload.container.get("volumeMounts", ())}
        present = {volume["name"] for volume in workload.pod.get("volumes", ())}
        for name in sorted(mounted ^ present):
            yield f"{workload.title}: the volume {name} is not both there and mounted"


def resources_are_bounded(objects: Sequence[Object]) -> Iterator[str]:
    """CPU and memory are asked for; memory is limited to no less; CPU is not limited."""
    for workload in workloads(objects):
        resources = workload.container.get("resources", {})
        requests, limits = resources.get("requests", {}), resources.get("limits", {})
        for name in ("cpu", "memory"):
            if name not in requests:
                yield f"{workload.title}: asks for no {name}"
        if "memory" not in limits:
            yield f"{workload.title}: its memory is not limited"
        if "cpu" in limits:
            yield f"{workload.title}: its CPU is limited"
        for name in sorted(requests.keys() & limits.keys()):
            if quantity(requests[name]) > quantity(limits[name]):
                yield f"{workload.title}: asks for more {name} than it may have"


def stopping_fits_the_grace_period(objects: Sequence[Object]) -> Iterator[str]:
    """Hook, drain and what requests may still take are over before the pod is killed."""
    for workload in workloads(objects, "Deployment"):
        needed = seconds_to_stop(workload, objects) + CLOSING_SECONDS
        granted = workload.pod.get("terminationGracePeriodSeconds", 30)
        if needed > granted:
            yield f"{workload.title}: needs {needed:g} s to stop and is given {granted} s"


def seconds_to_stop(workload: Workload, objects: Sequence[Object]) -> float:
    """Return how long a workload may take from the first word of its end."""
    hook = workload.container.get("lifecycle", {}).get("preStop", {})
    command = hook.get("exec", {}).get("command", [])
    seconds = float(hook.get("sleep", {}).get("seconds", 0))
    if "--seconds" in command:
        seconds += float(command[command.index("--seconds") + 1])
    if workload.labels.get("app.kubernetes.io/component") in {"api", "portal"}:
        seconds += sum(_told_or_usual(workload, objects, name) for name in ("drain_seconds", "graceful_seconds"))
    return seconds


def _told_or_usual(workload: Workload, objects: Sequence[Object], setting: str) -> float:
    told = workload.environment(objects).get(f"{PREFIX}{setting.upper()}")
    return float(told or ServerSettings.model_fields[setting].default)


def whoever_is_called_says_that_it_goes(objects: Sequence[Object]) -> Iterator[str]:
    """Nobody who answers requests stops at the first signal: it drains by itself or by a hook."""
    for workload in workloads(objects, "Deployment"):
        if "http" in workload.ports and seconds_to_stop(workload, objects) < CLOSING_SECONDS:
            yield f"{workload.title}: stops while it is still sent requests"


def whoever_drains_is_passed_over_first(objects: Sequence[Object]) -> Iterator[str]:
    """A drain is longer than the gateway may take to see that a copy is not ready any more."""
    told = (REPOSITORY / "gateway" / "envoy" / "clusters.yaml").read_text(encoding="utf-8")
    noticed = sum(
        float(re.findall(rf"^[ -]+{name}: (\d+)s$", told, re.MULTILINE)[0]) for name in ("timeout", "interval")
    )
    for workload in workloads(objects, "Deployment"):
        if workload.labels.get("app.kubernetes.io/component") in {"api", "portal"}:
            seconds = _told_or_usual(workload, objects, "drain_seconds")
            if seconds <= noticed:
                yield f"{workload.title}: drains for {seconds:g} s, which the gateway may not see"


def whoever_waits_for_an_event_is_answered(objects: Sequence[Object]) -> Iterator[str]:
    """A service and the gateway stop no sooner than the longest wait ends that a request may ask for."""
    for workload in workloads(objects, "Deployment"):
        is_waited_at = workload.labels.get("app.kubernetes.io/component") in {"api", "gateway"}
        if is_waited_at and seconds_to_stop(workload, objects) <= LONGEST_WAIT_SECONDS:
            yield f"{workload.title}: cuts off a request that waits {LONGEST_WAIT_SECONDS:g} s"


def pods_have_no_rights(objects: Sequence[Object]) -> Iterator[str]:
    """Nobody's user, no capability, no way to more, nothing to write to, the default seccomp profile."""
    for workload in workloads(objects):
        pod, own = workload.pod.get("securityContext", {}), workload.container.get("securityContext", {})
        wanted = {
            "runs as root": pod.get("runAsNonRoot") is True and pod.get("runAsUser", 0) > 0,
            "runs as root's group": pod.get("runAsGroup", 0) > 0,
            "has no seccomp profile": pod.get("seccompProfile") == {"type": "RuntimeDefault"},
            "may gain rights": own.get("allowPrivilegeEscalation") is False,
            "may write to its image": own.get("readOnlyRootFilesystem") is True,
            "keeps capabilities": own.get("capabilities") == {"drop": ["ALL"]},
            "shares what is the host's": not {"hostNetwork", "hostPID", "hostIPC"} & workload.pod.keys(),
            "has more containers than these rules read": len(workload.pod["containers"]) == 1,
        }
        yield from (f"{workload.title}: {fault}" for fault, holds in wanted.items() if not holds)


def pods_have_no_token(objects: Sequence[Object]) -> Iterator[str]:
    """No pod may talk to the cluster's API, nor is told of all its services."""
    for workload in workloads(objects):
        for name in ("automountServiceAccountToken", "enableServiceLinks"):
            if workload.pod.get(name) is not False:
                yield f"{workload.title}: {name} is not off"


def images_have_a_version(objects: Sequence[Object]) -> Iterator[str]:
    """An image is named with a tag that stays what it is, or a digest."""
    for workload in workloads(objects):
        image = workload.container["image"]
        tag = image.rpartition("/")[2].partition("@")[2] or image.rpartition("/")[2].partition(":")[2]
        if not tag or tag == "latest":
            yield f"{workload.title}: the image {image} may be anything"


def migrations_are_called_after_their_image(objects: Sequence[Object]) -> Iterator[str]:
    """A Job cannot be given another image: its name ends in the image's tag."""
    for workload in workloads(objects, "Job"):
        tag = workload.container["image"].rpartition(":")[2]
        if not workload.owner["metadata"]["name"].endswith(f"-{tag}"):
            yield f"{workload.title}: runs the image {workload.container['image']}"


def copies_are_spread(objects: Sequence[Object]) -> Iterator[str]:
    """Copies of one release lie on different nodes and in different zones, as far as there are any."""
    for workload in workloads(objects, "Deployment"):
        constraints = workload.pod.get("topologySpreadConstraints", ())
        apart = {
            constraint["topologyKey"]
            for constraint in constraints
            if all(workload.labels.get(k) == v for k, v in constraint["labelSelector"]["matchLabels"].items())
            and all(
                key in workload.labels or key == "pod-template-hash" for key in constraint.get("matchLabelKeys", ())
            )
            and "pod-template-hash" in constraint.get("matchLabelKeys", ())
        }
        for key in ("kubernetes.io/hostname", "topology.kubernetes.io/zone"):
            if key not in apart:
                yield f"{workload.title}: its copies are not spread over {key}"


def no_copy_goes_before_its_successor(objects: Sequence[Object]) -> Iterator[str]:
    """A release takes no copy away before a new one is ready."""
    for workload in workloads(objects, "Deployment"):
        if workload.owner["spec"].get("strategy", {}).get("rollingUpdate", {}).get("maxUnavailable") != 0:
            yield f"{workload.title}: a release takes copies away first"
        if workload.owner["spec"].get("minReadySeconds", 0) <= FOUND_SECONDS:
            yield f"{workload.title}: a copy goes before its successor has been found"
