from collections.abc import Callable
from operator import methodcaller
from typing import Any

import pytest
from api_documents import SERVED
from api_lint import (
    RULES,
    Document,
    Findings,
    bounds_what_is_sent,
    describes_everything,
    documents_refusals,
    has_no_noise,
    names_operations,
    parts_sent_from_shown,
    reads_alike,
    says_units,
    shows_examples,
    shows_what_is_answered,
)
from openapi_spec_validator import OpenAPIV31SpecValidator

Rule = Callable[[Document], Findings]
Breaking = Callable[..., Document]
TASKS = "paths /v1/projects/{project_id}/tasks"
TASK = "paths /v1/projects/{project_id}/tasks/{task_id}"
SCHEMAS = "components schemas"
PLAIN_NULL = {"anyOf": [{"type": "string"}, {"type": "null"}]}

BREAKS: list[tuple[Rule, str, Callable[[Any], object], str]] = [
    (names_operations, f"{TASKS} get", methodcaller("update", operationId="listTasks"), "listTasks is no snake_case"),
    (names_operations, f"{TASKS} get", methodcaller("update", operationId="get_task"), "get_task names 2 operations"),
    (describes_everything, f"{TASKS} get", methodcaller("pop", "description"), "tasks has no description"),
    (describes_everything, f"{TASKS} get", methodcaller("update", description="Get"), "described by no sentence"),
    (describes_everything, f"{TASKS} get", methodcaller("pop", "summary"), "tasks has no summary"),
    (describes_everything, f"{TASKS} get parameters 0", methodcaller("pop", "description"), "describe project_id"),
    (
        describes_everything,
        f"{TASKS} get responses 200",
        methodcaller("update", description="Successful Response"),
        "describe its 200",
    ),
    (describes_everything, f"{SCHEMAS} Task", methodcaller("pop", "description"), "Task is not described"),
    (
        says_units,
        f"{SCHEMAS} Task properties",
        methodcaller("update", length={"type": ["integer", "null"]}),
        "Task.length does not say its unit",
    ),
    (has_no_noise, f"{SCHEMAS} Task", methodcaller("update", title="Task"), "Task has title"),
    (has_no_noise, f"{SCHEMAS} Task properties wbs", methodcaller("update", nullable=True), "Task.wbs has nullable"),
    (has_no_noise, f"{SCHEMAS} NewTask", methodcaller("update", example={}), "NewTask has example"),
    (has_no_noise, f"{SCHEMAS} Task properties", methodcaller("update", wbs=PLAIN_NULL), "Task.wbs says null by anyOf"),
    (has_no_noise, SCHEMAS, methodcaller("update", Spare={}), "Spare is used nowhere"),
    (parts_sent_from_shown, f"{SCHEMAS} Task required", methodcaller("remove", "wbs"), "Task.wbs is not always shown"),
    (
        parts_sent_from_shown,
        f"{SCHEMAS} Task",
        methodcaller("update", additionalProperties=False),
        "Task is shown and can never grow",
    ),
    (
        parts_sent_from_shown,
        f"{SCHEMAS} NewTask",
        methodcaller("pop", "additionalProperties"),
        "NewTask is sent and takes fields nobody knows",
    ),
    (
        parts_sent_from_shown,
        f"{SCHEMAS} Task properties constraint anyOf 0",
        methodcaller("update", {"$ref": "#/components/schemas/TaskConstraintInput"}),
        "TaskConstraintInput.at is not always shown",
    ),
    (shows_what_is_answered, f"{TASK} get responses 200", methodcaller("pop", "content"), "what its 200 holds"),
    (bounds_what_is_sent, f"{SCHEMAS} NewTask properties name", methodcaller("pop", "maxLength"), "of any length"),
    (bounds_what_is_sent, f"{SCHEMAS} TaskItemBatch properties items", methodcaller("pop", "maxItems"), "any number"),
    *(
        (documents_refusals, f"{TASK} patch responses", methodcaller("pop", status), f"does not document {status}")
        for status in ("400", "401", "403", "404", "412", "413", "415", "422", "428", "429", "500", "503")
    ),
    (documents_refusals, f"{TASKS} post responses", methodcaller("pop", "409"), "does not document 409"),
    (
        documents_refusals,
        "components responses Problem404 content",
        methodcaller("update", {"application/json": {}}),
        "answers 404 with no problem document",
    ),
    *(
        (
            documents_refusals,
            "components responses Problem429 headers",
            methodcaller("pop", header),
            f"does not document {header} of its 429",
        )
        for header in ("RateLimit", "RateLimit-Policy", "Retry-After")
    ),
    (reads_alike, "paths", methodcaller("update", {"/v1/projectTasks": {}}), "/v1/projectTasks is no kebab-case"),
    (reads_alike, f"{TASK} get", methodcaller("update", tags=["plans", "tasks"]), "has not one tag"),
    (reads_alike, f"{TASK} get", methodcaller("pop", "security"), "does not say who may"),
    (reads_alike, f"{TASKS} get parameters 1", methodcaller("update", name="pageSize"), "takes pageSize"),
    (reads_alike, f"{SCHEMAS} Task properties", methodcaller("update", parentId={}), "Task.parentId is no snake_case"),
    (shows_examples, f"{SCHEMAS} TaskPatch", methodcaller("pop", "examples"), "shows no example of its body"),
    (shows_examples, f"{SCHEMAS} TaskPatch examples 0", methodcaller("update", kind="x"), "an example of TaskPatch:"),
]


@pytest.mark.parametrize("service", SERVED)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_service_says_what_it_does(rule: Rule, service: str, every_document: dict[str, Document]) -> None:
    assert list(rule(every_document[service])) == []


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule is not documents_refusals], ids=lambda r: r.__name__)
def test_the_whole_says_what_it_does(rule: Rule, whole: Document) -> None:
    assert list(rule(whole)) == []


@pytest.mark.parametrize("service", SERVED)
def test_every_document_is_openapi(service: str, every_document: dict[str, Document]) -> None:
    OpenAPIV31SpecValidator(every_document[service]).validate()
    assert every_document[service]["openapi"] == "3.1.0"


def test_the_whole_is_openapi(whole: Document) -> None:
    OpenAPIV31SpecValidator(whole).validate()
    assert {path.split("/")[1] for path in whole["paths"]} >= SERVED.keys()


@pytest.mark.parametrize(
    ("rule", "place", "change", "said"),
    BREAKS,
    ids=[f"{rule.__name__}-{number}" for number, (rule, *_) in enumerate(BREAKS)],
)
def test_each_rule_sees_what_it_is_for(
    rule: Rule, place: str, change: Callable[[Any], object], said: str, broken: Breaking
) -> None:
    findings = list(rule(broken(place, change)))
    assert any(said in finding for finding in findings), findings


def test_each_rule_is_seen_to_fail() -> None:
    assert {rule for rule, *_ in BREAKS} == set(RULES)
