"""Rules about how objects fit together. A rule yields a sentence for each fault."""

import re
import runpy
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from pydantic_settings import BaseSettings

from chassis.settings import PREFIX, ServiceSettings
from manifests.objects import Object, called, hosts_named, of_kind, quantity, selects, title, workloads
from manifests.rendering import REPOSITORY
from portal.settings import PortalSettings

# Secrets that no file here makes, and whoever installs the platform gets from elsewhere.
SECRETS_FROM_ELSEWHERE: Mapping[str, set[str]] = {
    "backup-credentials": {"access-key-id", "secret-access-key"},
    "tandem-tls": {"tls.crt", "tls.key"},
}
# The kinds that are nobody's namespace's.
CLUSTER_WIDE = ("Namespace",)
NAMESPACE = "tandem"
HASHED = re.compile(r"-[a-z0-9]{10}$")
SETTINGS: Mapping[str, type[BaseSettings]] = {
    "api": ServiceSettings,
    "worker": ServiceSettings,
    "migrate": ServiceSettings,
    "portal": PortalSettings,
}
PASSWORDS = {
    "api": ("runtime_password", "worker_password", "client_secret"),
    "worker": ("runtime_password", "worker_password", "client_secret"),
    "migrate": ("owner_password",),
}
GATEWAY_HAS_DEFAULTS = {"TANDEM_TRUSTED_HOPS", "TANDEM_CORS_ORIGINS", "TANDEM_THREADS"}
LOG_KEPT = {"max_wal_size": "1GB", "wal_keep_size": "512MB"}  # PostgreSQL's default, and CloudNativePG's
HAS_A_DEFAULT_OF_ITS_OWN = {"service_name"}  # each service's settings say it


def selectors_pick_their_pods(objects: Sequence[Object]) -> Iterator[str]:
    """A Deployment, a Service and a disruption budget pick the pods of one workload, neither none nor others."""
    for workload in workloads(objects, "Deployment"):
        if not selects(workload.owner["spec"]["selector"], workload.labels):
            yield f"{workload.title}: does not pick its own pods"
    pickers = [(each, each["spec"]["selector"]) for each in of_kind(objects, "Deployment", "PodDisruptionBudget")]
    pickers += [(each, {"matchLabels": each["spec"]["selector"]}) for each in of_kind(objects, "Service")]
    for each, selector in pickers:
        picked = [workload for workload in workloads(objects) if selects(selector, workload.labels)]
        if len(picked) != 1:
            yield f"{title(each)}: picks the pods of {len(picked)} workloads"


def services_lead_to_ports(objects: Sequence[Object]) -> Iterator[str]:
    """The pods behind a Service have the ports it leads to."""
    for service in of_kind(objects, "Service"):
        for workload in workloads(objects):
            if selects({"matchLabels": service["spec"]["selector"]}, workload.labels):
                for port in service["spec"]["ports"]:
                    if port["targetPort"] not in workload.ports:
                        yield f"{title(service)}: {workload.title} has no port {port['targetPort']}"


def copies_are_called_at_their_own_port(objects: Sequence[Object]) -> Iterator[str]:
    """A Service without an address of its own names the port of its pods: nothing translates it."""
    for service in of_kind(objects, "Service"):
        for workload in workloads(objects) if service["spec"].get("clusterIP") == "None" else ():
            if selects({"matchLabels": service["spec"]["selector"]}, workload.labels):
                for port in service["spec"]["ports"]:
                    if workload.ports.get(port["targetPort"]) != port["port"]:
                        yield f"{title(service)}: nobody listens at {port['port']}"


def disruptions_are_limited(objects: Sequence[Object]) -> Iterator[str]:
    """Of what runs all the time one copy may go at once, and a broken one always."""
    budgets = list(of_kind(objects, "PodDisruptionBudget"))
    for workload in workloads(objects, "Deployment"):
        own = [budget for budget in budgets if selects(budget["spec"]["selector"], workload.labels)]
        if len(own) != 1:
            yield f"{workload.title}: has {len(own)} disruption budgets"
    for budget in budgets:
        if budget["spec"].get("unhealthyPodEvictionPolicy") != "AlwaysAllow":
            yield f"{title(budget)}: keeps broken pods on a node that is emptied"
        if budget["spec"].get("maxUnavailable") != 1:
            yield f"{title(budget)}: allows another number of copies to go than one"


def configuration_is_there(objects: Sequence[Object]) -> Iterator[str]:
    """Every ConfigMap that is referred to is rendered, and every one rendered is referred to."""
    wanted: dict[str, str] = {}
    for workload in workloads(objects):
        named = [source["configMapRef"]["name"] for source in workload.container.get("envFrom", ())]
        named += [volume["configMap"]["name"] for volume in workload.pod.get("volumes", ()) if "configMap" in volume]
        wanted |= dict.fromkeys(named, workload.title)
    for cluster in of_kind(objects, "Cluster"):
        for reference in cluster["spec"]["bootstrap"]["initdb"]["postInitApplicationSQLRefs"]["configMapRefs"]:
            wanted[reference["name"]] = title(cluster)
    present = {each["metadata"]["name"] for each in of_kind(objects, "ConfigMap")}
    yield from (f"{wanted[name]}: there is no ConfigMap {name}" for name in wanted if name not in present)
    yield from (f"ConfigMap {name}: nobody reads it" for name in sorted(present - wanted.keys()))


def configuration_starts_pods_anew(objects: Sequence[Object]) -> Iterator[str]:
    """What runs all the time names its configuration by its hash; a Job, which cannot be changed, names none so."""
    for workload in workloads(objects):
        named = [source["configMapRef"]["name"] for source in workload.container.get("envFrom", ())]
        named += [volume["configMap"]["name"] for volume in workload.pod.get("volumes", ()) if "configMap" in volume]
        for name in named:
            if bool(HASHED.search(name)) is (workload.owner["kind"] == "Job"):
                yield f"{workload.title}: a change of {name} would not be taken over"


def secrets_are_known(objects: Sequence[Object], made: Mapping[str, set[str]]) -> Iterator[str]:
    """Every Secret that is referred to, and each key of it, is one of those made; none is rendered."""
    yield from (f"{title(each)}: a secret value is rendered" for each in of_kind(objects, "Secret"))
    known = {**SECRETS_FROM_ELSEWHERE, **made}
    for owner, name, key in [*_secrets_of_pods(objects), *_secrets_of_others(objects)]:
        if name not in known:
            yield f"{owner}: nobody makes the Secret {name}"
        elif key is not None and key not in known[name]:
            yield f"{owner}: the Secret {name} has no key {key}"


def _secrets_of_pods(objects: Sequence[Object]) -> Iterator[tuple[str, str, str | None]]:
    for workload in workloads(objects):
        for entry in workload.container.get("env", ()):
            reference = entry.get("valueFrom", {}).get("secretKeyRef")
            if reference:
                yield workload.title, reference["name"], reference["key"]
        for volume in workload.pod.get("volumes", ()):
            if "secret" in volume:
                yield workload.title, volume["secret"]["secretName"], None


def _secrets_of_others(objects: Sequence[Object]) -> Iterator[tuple[str, str, str | None]]:
    for cluster in of_kind(objects, "Cluster"):
        yield title(cluster), cluster["spec"]["bootstrap"]["initdb"]["secret"]["name"], "password"
        for role in cluster["spec"]["managed"]["roles"]:
            yield title(cluster), role["passwordSecret"]["name"], "password"
    for store in of_kind(objects, "ObjectStore"):
        for reference in store["spec"]["configuration"]["s3Credentials"].values():
            yield title(store), reference["name"], reference["key"]
    for ingress in of_kind(objects, "Ingress"):
        for tls in ingress["spec"].get("tls", ()):
            yield title(ingress), tls["secretName"], None


def addresses_lead_somewhere(objects: Sequence[Object]) -> Iterator[str]:
    """Every host that a setting or an Ingress names is a Service with that port; a database's is its cluster's."""
    for workload in workloads(objects):
        for name, value in workload.environment(objects).items():
            for host, port in hosts_named(value or ""):
                service = called(objects, "Service", host)
                if service is None or port not in {each["port"] for each in service["spec"]["ports"]}:
                    yield f"{workload.title}: {name} names {host}:{port}, which is nowhere"
    for ingress in of_kind(objects, "Ingress"):
        for rule in ingress["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                backend = path["backend"]["service"]
                service = called(objects, "Service", backend["name"])
                if service is None or backend["port"]["name"] not in {p["name"] for p in service["spec"]["ports"]}:
                    yield f"{title(ingress)}: leads to {backend['name']}, which is nowhere"


def databases_are_the_services(objects: Sequence[Object]) -> Iterator[str]:
    """Where clusters are rendered, each service's settings name its own, with the roles the migrations expect."""
    clusters = {each["metadata"]["name"]: each["spec"] for each in of_kind(objects, "Cluster")}
    for workload in workloads(objects) if clusters else ():
        told = workload.environment(objects)
        host, name = told.get("TANDEM_DATABASE_HOST"), told.get("TANDEM_DATABASE_NAME")
        if host is None:
            continue
        service = workload.labels["app.kubernetes.io/name"]
        cluster = clusters.get(str(host).removesuffix("-rw"))
        if cluster is None or not host.startswith(service):
            yield f"{workload.title}: its database {host} is not its own"
            continue
        made = cluster["bootstrap"]["initdb"]
        roles = {made["owner"], *(role["name"] for role in cluster["managed"]["roles"])}
        if made["database"] != name or roles != {f"{name}_{duty}" for duty in ("owner", "runtime", "worker")}:
            yield f"{workload.title}: {host} has another database or other roles"
    for backup in of_kind(objects, "ScheduledBackup"):
        if backup["spec"]["cluster"]["name"] not in clusters:
            yield f"{title(backup)}: there is no such cluster"


def environment_is_known(objects: Sequence[Object]) -> Iterator[str]:
    """A process is told only what its settings know, and all that they require; secrets only by reference."""
    for workload in workloads(objects):
        component = workload.labels["app.kubernetes.io/component"]
        told = workload.environment(objects)
        known, needed = _settings(component)
        for name in sorted(told.keys() - known):
            yield f"{workload.title}: no setting is called {name}"
        for name in sorted(needed - told.keys()):
            yield f"{workload.title}: {name} is needed"
        for name, value in told.items():
            if name.endswith(("_PASSWORD", "_SECRET")) and value is not None:
                yield f"{workload.title}: the value of {name} stands in the manifest"


def _settings(component: str) -> tuple[set[str], set[str]]:
    """Return the variables that a process knows, and those it needs."""
    if component == "gateway":
        known = gateway_environment()
        return known, known - GATEWAY_HAS_DEFAULTS
    fields = SETTINGS[component].model_fields
    needed = {name for name, field in fields.items() if field.is_required()} - HAS_A_DEFAULT_OF_ITS_OWN
    needed |= set(PASSWORDS.get(component, ()))
    return {f"{PREFIX}{name.upper()}" for name in fields}, {f"{PREFIX}{name.upper()}" for name in needed}


@cache
def gateway_environment() -> set[str]:
    """Return the variables that the command of the gateway's image knows."""
    return set(runpy.run_path(str(REPOSITORY / "deploy" / "images" / "gateway" / "gateway.py"))["ENVIRONMENT"])


def metrics_are_where_they_are_read(objects: Sequence[Object]) -> Iterator[str]:
    """The port of the metrics is the one the settings name."""
    for workload in workloads(objects, "Deployment"):
        told = workload.environment(objects).get("TANDEM_METRICS_PORT")
        if told is not None and workload.ports.get("metrics") != int(told):
            yield f"{workload.title}: its metrics are at {told}"


def scaled_workloads_state_no_copies(objects: Sequence[Object]) -> Iterator[str]:
    """Either the manifest says how many copies there are, or a scaler does, for a workload that is there."""
    scaled = {each["spec"]["scaleTargetRef"]["name"]: each for each in of_kind(objects, "HorizontalPodAutoscaler")}
    for name, scaler in scaled.items():
        if called(objects, "Deployment", name) is None:
            yield f"{title(scaler)}: there is no Deployment {name}"
    for workload in workloads(objects, "Deployment"):
        if ("replicas" in workload.owner["spec"]) is (workload.owner["metadata"]["name"] in scaled):
            yield f"{workload.title}: its copies are counted twice or not at all"


def connections_fit_the_database(objects: Sequence[Object]) -> Iterator[str]:
    """All copies at their most, and one more of each during a release, find a connection."""
    most = {
        each["spec"]["scaleTargetRef"]["name"]: each["spec"] for each in of_kind(objects, "HorizontalPodAutoscaler")
    }
    fields = ServiceSettings.model_fields
    pool = sum(fields[name].default for name in ("runtime_pool_size", "worker_pool_size"))
    for cluster in of_kind(objects, "Cluster"):
        name = cluster["metadata"]["name"]
        copies = 0
        for workload in workloads(objects, "Deployment"):
            if workload.environment(objects).get("TANDEM_DATABASE_HOST") == f"{name}-rw":
                scaler = most.get(workload.owner["metadata"]["name"])
                copies += (scaler["maxReplicas"] if scaler else workload.owner["spec"]["replicas"]) + 1
        if copies * pool > int(cluster["spec"]["postgresql"]["parameters"]["max_connections"]):
            yield f"{title(cluster)}: {copies} processes may want {copies * pool} connections"


def the_log_fits_its_volume(objects: Sequence[Object]) -> Iterator[str]:
    """A volume for the write-ahead log holds what PostgreSQL may keep of it, and a tenth more."""
    for cluster in of_kind(objects, "Cluster"):
        parameters = LOG_KEPT | cluster["spec"]["postgresql"]["parameters"]
        kept = sum(quantity(f"{parameters[name].removesuffix('B')}i") for name in LOG_KEPT)
        if quantity(cluster["spec"]["walStorage"]["size"]) < kept * 1.1:
            yield f"{title(cluster)}: the log's volume is too small for {' and '.join(LOG_KEPT)}"


def everything_is_in_the_restricted_namespace(objects: Sequence[Object]) -> Iterator[str]:
    """One namespace, which refuses pods with rights, holds everything."""
    namespace = called(objects, "Namespace", NAMESPACE)
    labels = namespace["metadata"].get("labels", {}) if namespace else {}
    if labels.get("pod-security.kubernetes.io/enforce") != "restricted":
        yield f"Namespace {NAMESPACE}: does not refuse pods with rights"
    for each in objects:
        if each["kind"] not in CLUSTER_WIDE and each["metadata"].get("namespace") != NAMESPACE:
            yield f"{title(each)}: is in another namespace"


def nothing_stands_twice(objects: Sequence[Object]) -> Iterator[str]:
    """No two objects of a kind have one name."""
    seen: set[str] = set()
    for each in objects:
        if title(each) in seen:
            yield f"{title(each)}: stands twice"
        seen.add(title(each))
