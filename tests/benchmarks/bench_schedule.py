"""The schedule engine against networkx: run `python tests/benchmarks/bench_schedule.py [folder]`.

Both start from the same plan. networkx builds its graph and finds the length of the longest path, knowing neither link
types nor lags nor calendars nor dates; the engine computes everything it answers. The path alone, its graph given,
is shown too.
"""

import gc
import json
import random
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import networkx as nx

from chassis.durations import Duration
from chassis.working_time import STANDARD, WorkingCalendar
from project_tracker.schedules.engine import compute_schedule
from project_tracker.schedules.plan import Link, LinkType, Plan, PlannedTask

SIZES = ((10_000, 29_000, 11), (100_000, 299_000, 3))
START = datetime(2026, 1, 5, 8, tzinfo=UTC)
HALF_HOUR = 1_800
SEED = 20_260_105


def random_plan(tasks: int, links: int) -> Plan:
    """Make a plan of all four link types with lags, on a calendar with a zone that moves its clocks."""
    chance = random.Random(SEED)  # noqa: S311 - a plan, not a secret
    ends: set[tuple[int, int]] = set()
    while len(ends) < links:
        after = chance.randrange(1, tasks)
        ends.add((max(0, after - chance.randint(1, 200)), after))
    kinds = (LinkType.FS, LinkType.SS, LinkType.FF, LinkType.SF)
    return Plan(
        START,
        [PlannedTask(str(n), str(n), Duration(chance.randint(1, 80) * HALF_HOUR)) for n in range(tasks)],
        [
            Link(
                str(before),
                str(after),
                chance.choices(kinds, (70, 15, 10, 5))[0],
                Duration(chance.choice((0, 0, 0, 2 * HALF_HOUR, 16 * HALF_HOUR, -4 * HALF_HOUR))),
            )
            for before, after in sorted(ends)
        ],
        WorkingCalendar("Europe/Berlin", STANDARD.weekly),
    )


def graph_of(plan: Plan) -> "nx.DiGraph[str]":
    """Build the network as networkx wants it, durations as weights."""
    seconds = {str(task.id): task.duration.seconds for task in plan.tasks}
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(seconds)
    graph.add_weighted_edges_from(
        (str(link.predecessor_id), str(link.successor_id), seconds[str(link.predecessor_id)]) for link in plan.links
    )
    return graph


def timed(work: Callable[[], object]) -> float:
    """Run once, in milliseconds."""
    gc.collect()
    before = time.perf_counter()
    work()
    return 1_000 * (time.perf_counter() - before)


def measure(tasks: int, links: int, rounds: int) -> dict[str, float]:
    """Run the three in turn, and give the medians."""
    plan = random_plan(tasks, links)
    graph = graph_of(plan)
    works: dict[str, Callable[[], object]] = {
        "engine_ms": lambda: compute_schedule(plan),
        "networkx_ms": lambda: nx.dag_longest_path_length(graph_of(plan)),
        "networkx_path_only_ms": lambda: nx.dag_longest_path_length(graph),
    }
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            times[name].append(timed(work))
    found = {name: statistics.median(each) for name, each in times.items()}
    return {
        "tasks": tasks,
        "links": links,
        **found,
        "ratio": found["engine_ms"] / found["networkx_ms"],
        "ratio_path_only": found["engine_ms"] / found["networkx_path_only_ms"],
        "microseconds_per_task": 1_000 * found["engine_ms"] / tasks,
    }


def main() -> None:
    """Print a table, and write it as JSON where a folder is named."""
    results = [measure(*size) for size in SIZES]
    columns = list(results[0])
    lines = [" ".join(f"{name:>22}" for name in columns)]
    lines += [" ".join(f"{result[name]:>22,.2f}" for name in columns) for result in results]
    sys.stdout.write("\n".join(lines) + "\n")
    if len(sys.argv) > 1:
        Path(sys.argv[1], "schedule.json").write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
