"""The timeline of an incident tells which others became parts of it: of those there are already, too."""

from alembic import op

revision = "20261128_04"
down_revision = "20261128_03"


def upgrade() -> None:
    op.execute(
        """
        WITH step AS (
            SELECT org, resource_id AS child, at, recorded_at, actor, to_state, details,
                row_number() OVER (PARTITION BY org, resource_id ORDER BY at, place) AS number
            FROM history_entry
            WHERE collection = 'incident-parents' AND superseded_at IS NULL
        ),
        first_parent AS (
            SELECT incident.org, incident.id AS child, incident.created_at AS at, incident.reported_by AS actor,
                CASE
                    WHEN step.child IS NULL THEN incident.parent_id
                    WHEN step.to_state = 'linked' THEN cast(step.details ->> 'before' AS uuid)
                    ELSE cast(step.details ->> 'parent_id' AS uuid)
                END AS parent
            FROM incident
            LEFT JOIN step ON step.org = incident.org AND step.child = incident.id AND step.number = 1
        ),
        told AS (
            SELECT org, parent, child, at, at AS recorded_at, actor, 'linked' AS to_state FROM first_parent
            UNION ALL
            SELECT org, cast(details ->> 'before' AS uuid), child, at, recorded_at, actor, 'unlinked' FROM step
            WHERE to_state = 'linked'
            UNION ALL
            SELECT org, cast(details ->> 'parent_id' AS uuid), child, at, recorded_at, actor, to_state FROM step
        )
        INSERT INTO history_entry (org, collection, resource_id, at, recorded_at, to_state, actor, details)
        SELECT org, 'incident-children', parent, at, recorded_at, to_state, actor, jsonb_build_object('child_id', child)
        FROM told
        WHERE parent IS NOT NULL
        ORDER BY recorded_at
        """
    )


def downgrade() -> None:
    op.execute("DELETE FROM history_entry WHERE collection = 'incident-children'")
