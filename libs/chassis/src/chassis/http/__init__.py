"""HTTP as all Tandem services speak it; what a slice's routes need is found here."""

from chassis.http.answers import answer
from chassis.http.conditions import ExpectedVersion, Precondition, PutCondition
from chassis.http.idempotency import needs
from chassis.http.problems import problems
from chassis.http.queries import ListQuery
from chassis.http.routes import Router

__all__ = [
    "ExpectedVersion",
    "ListQuery",
    "Precondition",
    "PutCondition",
    "Router",
    "answer",
    "needs",
    "problems",
]
