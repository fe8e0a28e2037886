"""HTTP as all Tandem services speak it; what a slice's routes need is found here."""

from chassis.http.answers import answer
from chassis.http.conditions import ExpectedVersion, OptionalVersion, PutCondition
from chassis.http.idempotency import needs
from chassis.http.problems import problems
from chassis.http.queries import NAMED_MAX, ListQuery, UnsearchedListQuery, sorted_by
from chassis.http.routes import Router

__all__ = [
    "NAMED_MAX",
    "ExpectedVersion",
    "ListQuery",
    "OptionalVersion",
    "PutCondition",
    "Router",
    "UnsearchedListQuery",
    "answer",
    "needs",
    "problems",
    "sorted_by",
]
