"""Each rule is seen to fail: a rendered object is broken, and the rule says so."""

from collections.abc import Callable

import pytest
from manifests.objects import Object, called
from manifests.rendering import REPOSITORY
from manifests.rules import RULES

Break = Callable[[list[Object]], object]


def found(objects: list[Object], kind: str, name: str) -> Object:
    each = called(objects, kind, name)
    assert each is not None
    return each


def named(objects: list[Object], kind: str, prefix: str) -> Object:
    return next(each for each in objects if each["kind"] == kind and each["metadata"]["name"].startswith(prefix))


def pod(objects: list[Object], name: str, kind: str = "Deployment") -> Object:
    specification: Object = named(objects, kind, name)["spec"]["template"]["spec"]
    return specification


def container(objects: list[Object], name: str, kind: str = "Deployment") -> Object:
    first: Object = pod(objects, name, kind)["containers"][0]
    return first


def alert(objects: list[Object]) -> Object:
    first: Object = found(objects, "PrometheusRule", "tandem")["spec"]["groups"][0]["rules"][0]
    return first


def policy(objects: list[Object], name: str) -> Object:
    specification: Object = found(objects, "NetworkPolicy", name)["spec"]
    return specification


def without(objects: list[Object], kind: str, *names: str) -> None:
    for name in names:
        objects.remove(found(objects, kind, name))


def tell(objects: list[Object], name: str, **environment: str) -> None:
    entries = container(objects, name).setdefault("env", [])
    entries += [{"name": key, "value": value} for key, value in environment.items()]


BREAKS: list[tuple[str, str, Break]] = [
    (
        "ports_have_short_names",
        "sixteen characters",
        lambda o: container(o, "portal")["ports"][0].update(name="http-for-visitors"),
    ),
    ("ports_have_short_names", "twice", lambda o: container(o, "gateway")["ports"][0].update(name="observation")),
    ("probes_are_there", "none", lambda o: container(o, "portal").pop("readinessProbe")),
    ("probes_are_there", "no port", lambda o: container(o, "portal")["startupProbe"]["httpGet"].update(port="web")),
    (
        "living_depends_on_nothing",
        "killed when not ready",
        lambda o: container(o, "kpi-engine-api")["livenessProbe"]["httpGet"].update(path="/readyz"),
    ),
    ("volumes_are_there", "no volume", lambda o: pod(o, "portal")["volumes"].pop(0)),
    ("volumes_are_there", "not mounted", lambda o: container(o, "portal")["volumeMounts"].pop(0)),
    ("resources_are_bounded", "nothing asked for", lambda o: container(o, "portal")["resources"].pop("requests")),
    ("resources_are_bounded", "no limit", lambda o: container(o, "portal")["resources"].pop("limits")),
    ("resources_are_bounded", "CPU", lambda o: container(o, "portal")["resources"]["limits"].update(cpu="1")),
    (
        "resources_are_bounded",
        "more than it may have",
        lambda o: container(o, "portal")["resources"]["requests"].update(memory="1Gi"),
    ),
    (
        "stopping_fits_the_grace_period",
        "no time left",
        lambda o: pod(o, "service-catalog-api").update(terminationGracePeriodSeconds=25),
    ),
    (
        "stopping_fits_the_grace_period",
        "a long hook",
        lambda o: container(o, "gateway")["lifecycle"]["preStop"]["exec"].update(
            command=["gateway", "drain", "--seconds", "60"]
        ),
    ),
    ("whoever_is_called_says_that_it_goes", "no hook", lambda o: container(o, "gateway").pop("lifecycle")),
    (
        "whoever_drains_is_passed_over_first",
        "a short drain",
        lambda o: tell(o, "portal", TANDEM_DRAIN_SECONDS="5"),
    ),
    (
        "whoever_waits_for_an_event_is_answered",
        "a short drain",
        lambda o: container(o, "gateway")["lifecycle"]["preStop"]["exec"].update(
            command=["gateway", "drain", "--seconds", "20"]
        ),
    ),
    (
        "whoever_waits_for_an_event_is_answered",
        "a short grace",
        lambda o: tell(o, "kpi-engine-api", TANDEM_GRACEFUL_SECONDS="15"),
    ),
    ("pods_have_no_rights", "root", lambda o: pod(o, "portal")["securityContext"].update(runAsUser=0)),
    ("pods_have_no_rights", "no profile", lambda o: pod(o, "portal")["securityContext"].pop("seccompProfile")),
    (
        "pods_have_no_rights",
        "a capability",
        lambda o: container(o, "gateway")["securityContext"]["capabilities"].update(add=["NET_BIND_SERVICE"]),
    ),
    (
        "pods_have_no_rights",
        "the Job too",
        lambda o: container(o, "kpi-engine-migrate", "Job")["securityContext"].pop("readOnlyRootFilesystem"),
    ),
    ("pods_have_no_rights", "the host's network", lambda o: pod(o, "gateway").update(hostNetwork=True)),
    ("pods_have_no_token", "a token", lambda o: pod(o, "portal").pop("automountServiceAccountToken")),
    ("images_have_a_version", "latest", lambda o: container(o, "portal").update(image="tandem/portal:latest")),
    ("images_have_a_version", "none", lambda o: container(o, "portal").update(image="registry:5000/tandem/portal")),
    (
        "migrations_are_called_after_their_image",
        "another tag",
        lambda o: container(o, "kpi-engine-migrate", "Job").update(image="tandem/kpi-engine:0.2.0"),
    ),
    ("copies_are_spread", "not at all", lambda o: pod(o, "portal").pop("topologySpreadConstraints")),
    (
        "copies_are_spread",
        "over others",
        lambda o: pod(o, "portal")["topologySpreadConstraints"][0]["labelSelector"].update(matchLabels={"app": "a"}),
    ),
    (
        "no_copy_goes_before_its_successor",
        "by default",
        lambda o: found(o, "Deployment", "portal")["spec"].pop("strategy"),
    ),
    (
        "no_copy_goes_before_its_successor",
        "at once",
        lambda o: found(o, "Deployment", "portal")["spec"].pop("minReadySeconds"),
    ),
    (
        "selectors_pick_their_pods",
        "a Deployment's",
        lambda o: found(o, "Deployment", "portal")["spec"]["selector"]["matchLabels"].update(tier="web"),
    ),
    (
        "selectors_pick_their_pods",
        "a Service's",
        lambda o: found(o, "Service", "kpi-engine-api")["spec"]["selector"].pop("app.kubernetes.io/name"),
    ),
    (
        "services_lead_to_ports",
        "no such port",
        lambda o: found(o, "Service", "portal")["spec"]["ports"][0].update(targetPort="web"),
    ),
    (
        "copies_are_called_at_their_own_port",
        "another port",
        lambda o: found(o, "Service", "kpi-engine-api-copies")["spec"]["ports"][0].update(port=80),
    ),
    ("disruptions_are_limited", "no budget", lambda o: without(o, "PodDisruptionBudget", "portal")),
    (
        "disruptions_are_limited",
        "broken pods stay",
        lambda o: found(o, "PodDisruptionBudget", "portal")["spec"].pop("unhealthyPodEvictionPolicy"),
    ),
    (
        "disruptions_are_limited",
        "none may go",
        lambda o: found(o, "PodDisruptionBudget", "portal")["spec"].update(maxUnavailable=0),
    ),
    ("configuration_is_there", "missing", lambda o: o.remove(named(o, "ConfigMap", "platform"))),
    ("configuration_is_there", "left over", lambda o: container(o, "gateway")["envFrom"].pop()),
    (
        "configuration_starts_pods_anew",
        "without a hash",
        lambda o: container(o, "portal")["envFrom"][0]["configMapRef"].update(name="platform"),
    ),
    (
        "configuration_starts_pods_anew",
        "a Job with one",
        lambda o: container(o, "kpi-engine-migrate", "Job")["envFrom"].append(container(o, "portal")["envFrom"][0]),
    ),
    ("secrets_are_known", "rendered", lambda o: o.append({"kind": "Secret", "metadata": {"name": "portal-keys"}})),
    (
        "secrets_are_known",
        "nobody makes it",
        lambda o: pod(o, "portal")["volumes"][0]["secret"].update(secretName="portal-key"),
    ),
    (
        "secrets_are_known",
        "no such key",
        lambda o: next(e for e in container(o, "kpi-engine-api")["env"] if "valueFrom" in e)["valueFrom"][
            "secretKeyRef"
        ].update(key="passwort"),
    ),
    (
        "secrets_are_known",
        "a database's role",
        lambda o: found(o, "Cluster", "kpi-engine-database")["spec"]["managed"]["roles"][0]["passwordSecret"].update(
            name="kpi-engine-runtime"
        ),
    ),
    ("addresses_lead_somewhere", "no Service", lambda o: without(o, "Service", "portal")),
    (
        "addresses_lead_somewhere",
        "no such port",
        lambda o: named(o, "ConfigMap", "gateway-environment")["data"].update(
            TANDEM_UPSTREAMS='{"portal": "portal:8000"}'
        ),
    ),
    (
        "addresses_lead_somewhere",
        "an Ingress's",
        lambda o: found(o, "Ingress", "gateway")["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"].update(
            name="edge"
        ),
    ),
    (
        "databases_are_the_services",
        "another's",
        lambda o: tell(o, "kpi-engine-worker", TANDEM_DATABASE_HOST="project-tracker-database-rw"),
    ),
    (
        "databases_are_the_services",
        "another role",
        lambda o: found(o, "Cluster", "kpi-engine-database")["spec"]["managed"]["roles"].pop(),
    ),
    (
        "databases_are_the_services",
        "a backup of nothing",
        lambda o: found(o, "ScheduledBackup", "kpi-engine-database")["spec"]["cluster"].update(name="kpi"),
    ),
    ("environment_is_known", "no such setting", lambda o: tell(o, "portal", TANDEM_ISSUERS="https://tandem.example")),
    (
        "environment_is_known",
        "one is missing",
        lambda o: named(o, "ConfigMap", "portal-environment")["data"].pop("TANDEM_SIGNING_KEYS"),
    ),
    ("environment_is_known", "the gateway's", lambda o: tell(o, "gateway", TANDEM_HOPS="1")),
    ("environment_is_known", "a secret value", lambda o: tell(o, "kpi-engine-api", TANDEM_OWNER_PASSWORD="open")),
    (
        "metrics_are_where_they_are_read",
        "another port",
        lambda o: named(o, "ConfigMap", "kpi-engine-environment")["data"].update(TANDEM_METRICS_PORT="9001"),
    ),
    (
        "scaled_workloads_state_no_copies",
        "twice",
        lambda o: found(o, "Deployment", "kpi-engine-api")["spec"].update(replicas=2),
    ),
    ("scaled_workloads_state_no_copies", "not at all", lambda o: without(o, "HorizontalPodAutoscaler", "gateway")),
    (
        "connections_fit_the_database",
        "many copies",
        lambda o: found(o, "HorizontalPodAutoscaler", "kpi-engine-api")["spec"].update(maxReplicas=30),
    ),
    (
        "the_log_fits_its_volume",
        "too small",
        lambda o: found(o, "Cluster", "kpi-engine-database")["spec"]["walStorage"].update(size="1Gi"),
    ),
    (
        "the_log_fits_its_volume",
        "much is kept",
        lambda o: found(o, "Cluster", "kpi-engine-database")["spec"]["postgresql"]["parameters"].update(
            max_wal_size="5GB"
        ),
    ),
    (
        "everything_is_in_the_restricted_namespace",
        "no label",
        lambda o: found(o, "Namespace", "tandem")["metadata"].pop("labels"),
    ),
    (
        "everything_is_in_the_restricted_namespace",
        "elsewhere",
        lambda o: found(o, "NetworkPolicy", "default-deny")["metadata"].update(namespace="default"),
    ),
    ("nothing_stands_twice", "twice", lambda o: o.append(found(o, "Service", "portal"))),
    ("traffic_is_denied_at_first", "no denial", lambda o: without(o, "NetworkPolicy", "default-deny")),
    ("traffic_is_denied_at_first", "everything let in", lambda o: policy(o, "default-deny").update(ingress=[{}])),
    ("traffic_is_denied_at_first", "none of its own", lambda o: without(o, "NetworkPolicy", "migrate")),
    (
        "traffic_is_denied_at_first",
        "a database's",
        lambda o: without(o, "NetworkPolicy", "databases", "kpi-engine-database"),
    ),
    (
        "policies_name_ports_that_are_there",
        "no such port",
        lambda o: policy(o, "gateway")["ingress"][0].update(ports=[{"port": "https"}]),
    ),
    ("whoever_is_told_an_address_may_call_it", "no way out", lambda o: policy(o, "gateway").pop("egress")),
    ("whoever_is_told_an_address_may_call_it", "no way in", lambda o: policy(o, "portal").pop("ingress")),
    (
        "whoever_is_told_an_address_may_call_it",
        "its database",
        lambda o: policy(o, "kpi-engine-database").pop("ingress"),
    ),
    (
        "nobody_enters_anothers_database",
        "anybody may",
        lambda o: policy(o, "kpi-engine-database")["ingress"].append({"ports": [{"port": 5432}]}),
    ),
    ("alerts_have_a_page", "no page", lambda o: alert(o)["annotations"].update(runbook="docs/runbooks/gone.md")),
    ("alerts_have_a_page", "another page", lambda o: alert(o)["annotations"].update(runbook="docs/glossary.md")),
    ("alerts_have_a_page", "no severity", lambda o: alert(o).pop("labels")),
    ("pages_have_an_alert", "no alert", lambda o: found(o, "PrometheusRule", "tandem")["spec"]["groups"].pop()),
    ("alerts_count_what_is_counted", "no metric", lambda o: alert(o).update(expr="rate(tandem_answers_total[5m]) > 1")),
]


@pytest.mark.parametrize(
    ("rule", "damage"),
    [pytest.param(rule, damage, id=f"{rule}: {what}") for rule, what, damage in BREAKS],
)
def test_a_rule_sees_what_breaks_it(rule: str, damage: Break, objects: list[Object]) -> None:
    assert not list(RULES[rule](objects))
    damage(objects)
    assert list(RULES[rule](objects))


def test_every_rule_has_been_seen_to_fail() -> None:
    assert {rule for rule, _, _ in BREAKS} == RULES.keys()


def test_the_runbooks_are_where_the_rules_look() -> None:
    assert list((REPOSITORY / "docs" / "runbooks").glob("*.md"))
