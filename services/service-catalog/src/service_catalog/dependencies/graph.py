"""The walks over the graph of dependencies, each one statement.

Breadth first: a step of the recursion is one level, and UNION keeps what it has not met yet, however many ways lead
there. The depth goes along without telling two rows apart, as the places of a zero: 0.0 equals 0.000.
"""

from functools import cache

from sqlalchemy import ARRAY, Boolean, Integer, Text, Uuid, bindparam, text

from chassis.database import Statement
from service_catalog.services.directory import CARD

_ENDS = {"down": ("service_id", "depends_on_id"), "up": ("depends_on_id", "service_id")}
_WALK = """
WITH RECURSIVE met (id, depth) AS (
    SELECT unnest(CAST(:starts AS uuid[])), CAST(0 AS numeric)
    UNION
    SELECT link.{far}, round(CAST(0 AS numeric), scale(met.depth) + 1)
    FROM met JOIN service_dependency AS link ON link.{near} = met.id
    WHERE scale(met.depth) < :depth
),
firm (id) AS (
    SELECT unnest(CAST(:starts AS uuid[]))
    UNION
    SELECT link.{far}
    FROM firm JOIN service_dependency AS link ON link.{near} = firm.id AND link.type = 'hard'
),
reached AS (
    SELECT met.id, scale(met.depth) AS depth, firm.id IS NOT NULL AS is_hard,
           rank() OVER (ORDER BY scale(met.depth)) AS place, count(*) OVER () AS number
    FROM met LEFT JOIN firm ON firm.id = met.id
    WHERE scale(met.depth) > 0
)
SELECT card.id, card.key, card.name, card.state, reached.depth, reached.is_hard, reached.number
FROM reached JOIN ({card}) AS card ON card.id = reached.id
WHERE reached.place <= :most
ORDER BY reached.depth, card.key
LIMIT :most
"""
_VALUES = (
    bindparam("starts", type_=ARRAY(Uuid)),
    bindparam("depth", type_=Integer),
    bindparam("most", type_=Integer),
)

CLOSES_CYCLE = Statement(
    text(
        """
        WITH RECURSIVE below (id) AS (
            SELECT CAST(:depends_on_id AS uuid)
            UNION
            SELECT link.depends_on_id FROM below JOIN service_dependency AS link ON link.service_id = below.id
        )
        SELECT 1 FROM below WHERE id = :service_id LIMIT 1
        """
    ).bindparams(bindparam("depends_on_id", type_=Uuid), bindparam("service_id", type_=Uuid))
)

HARD_AROUND = Statement(
    text(
        """
        SELECT depends_on_id AS id FROM service_dependency WHERE type = 'hard' AND service_id = ANY(:service_ids)
        UNION
        SELECT service_id FROM service_dependency WHERE type = 'hard' AND depends_on_id = ANY(:service_ids)
        """
    ).bindparams(bindparam("service_ids", type_=ARRAY(Uuid)))
)

HARD_LINKS_BELOW = Statement(
    text(
        """
        WITH RECURSIVE below (id) AS (
            SELECT unnest(CAST(:starts AS uuid[]))
            UNION
            SELECT link.depends_on_id
            FROM below JOIN service_dependency AS link ON link.service_id = below.id AND link.type = 'hard'
        )
        SELECT link.service_id, link.depends_on_id
        FROM below JOIN service_dependency AS link ON link.service_id = below.id AND link.type = 'hard'
        """
    ).bindparams(bindparam("starts", type_=ARRAY(Uuid)))
)

LINKS = Statement(text("SELECT service_id, depends_on_id FROM service_dependency"))

LINKS_AMONG = Statement(
    text(
        """
        SELECT service_id, depends_on_id, type FROM service_dependency
        WHERE service_id = ANY(:service_ids) AND depends_on_id = ANY(:service_ids)
        ORDER BY service_id, depends_on_id
        """
    ).bindparams(bindparam("service_ids", type_=ARRAY(Uuid)))
)

# One at a time may add to an organisation's graph; held until the transaction ends.
LOCK_GRAPH = Statement(
    text("SELECT pg_advisory_xact_lock(hashtextextended('service_dependency ' || :org, 0))").bindparams(
        bindparam("org", type_=Text)
    )
)


@cache
def walk(direction: str) -> Statement:
    """Return the walk from `starts`, at most `depth` links deep, the nearest first and `most` of them.

    `is_hard` says whether hard links alone lead there.
    """
    near, far = _ENDS[direction]
    return Statement(text(_WALK.format(near=near, far=far, card=CARD)).bindparams(*_VALUES))


@cache
def neighbours(direction: str) -> Statement:
    """Return the services one link away; with `hard_only` by hard links alone."""
    near, far = _ENDS[direction]
    return Statement(
        text(
            f"""
            SELECT card.id, card.key, card.name, card.state
            FROM service_dependency AS link JOIN ({CARD}) AS card ON card.id = link.{far}
            WHERE link.{near} = :service_id AND (link.type = 'hard' OR NOT :hard_only)
            ORDER BY card.key
            """  # noqa: S608  (names of columns, no client's text)
        ).bindparams(bindparam("service_id", type_=Uuid), bindparam("hard_only", type_=Boolean))
    )
