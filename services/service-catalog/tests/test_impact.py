"""What a failure reaches, held against a plain breadth-first search over random graphs."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from catalog_api import Catalog

from chassis import ids
from chassis.caller import Caller
from chassis.testkit.databases import Pools
from chassis.writing import Row, insert_many
from service_catalog.dependencies.tables import DEPENDENCIES
from service_catalog.services.tables import SERVICES

Links = Sequence[tuple[int, int, str]]
EMPTY: dict[str, list[Any]] = {"inputs": [], "outputs": [], "outcomes": [], "in_scope": [], "out_of_scope": []}


def searched(links: Links, start: int, depth_max: int) -> dict[int, tuple[int, str]]:
    """Return what is reached from a start, each with its depth and how."""
    every: dict[int, list[int]] = {}
    hard: dict[int, list[int]] = {}
    for near, far, kind in links:
        every.setdefault(near, []).append(far)
        if kind == "hard":
            hard.setdefault(near, []).append(far)
    depths, firm = levels(every, start), levels(hard, start)
    return {
        node: (depth, "hard" if node in firm else "soft") for node, depth in depths.items() if 0 < depth <= depth_max
    }


def levels(below: Mapping[int, Sequence[int]], start: int) -> dict[int, int]:
    """Return how few links lead from a start to each."""
    found, frontier = {start: 0}, [start]
    while frontier:
        reached = {far for near in frontier for far in below.get(near, ())} - found.keys()
        found |= dict.fromkeys(reached, found[frontier[0]] + 1)
        frontier = sorted(reached)
    return found


def random_links(chance: random.Random, nodes: int) -> Links:
    """Make links that lead from lower numbers to higher ones, near and far."""
    ends = {tuple(sorted(chance.sample(range(nodes), 2))) for _ in range(chance.randrange(nodes, 4 * nodes))}
    return [(upper, lower, chance.choice(("hard", "hard", "soft"))) for upper, lower in sorted(ends)]


async def laid(pools: Pools, org: str, nodes: int, links: Links) -> list[str]:
    """Lay a graph into an organisation and return its services' ids."""
    made = [ids.new_id() for _ in range(nodes)]
    blank = {"type": "technical", "boundaries": EMPTY, "state": "supporting"}
    async with pools.runtime.begin(Caller(org=org, subject="tester")) as tx:
        services = [{"key": f"n{n}", "name": f"N{n}"} | blank for n in range(nodes)]
        await insert_many(
            tx, SERVICES, [Row(id=id_, values=one, verb="created") for id_, one in zip(made, services, strict=True)]
        )
        values = [
            {"service_id": made[upper], "depends_on_id": made[lower], "type": kind} for upper, lower, kind in links
        ]
        await insert_many(tx, DEPENDENCIES, [Row(id=ids.new_id(), values=one, verb="created") for one in values])
    return [str(id_) for id_ in made]


@pytest.mark.parametrize("seed", range(8))
async def test_the_impact_is_what_a_search_finds(catalog: Catalog, pools: Pools, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  (graphs, not secrets)
    nodes = chance.randrange(5, 40)
    links = random_links(chance, nodes)
    made = await laid(pools, catalog.org, nodes, links)
    numbers = {id_: number for number, id_ in enumerate(made)}
    ways = {"down": links, "up": [(lower, upper, kind) for upper, lower, kind in links]}
    for start in chance.sample(range(nodes), 4):
        for direction, walked in ways.items():
            for depth in (1, 2, 100):
                expected = searched(walked, start, depth)
                told: Any = await catalog.get(f"services/{made[start]}/impact", direction=direction, depth=depth)
                found = [(numbers[one["service_id"]], one["depth"], one["via"]) for one in told["items"]]
                assert {number: (deep, via) for number, deep, via in found} == expected
                assert told["count"] == len(found) == len(expected)
                order = [(one["depth"], one["key"]) for one in told["items"]]
                shown = {start, *(number for number, *_ in found)}
                drawn = [
                    (numbers[one["service_id"]], numbers[one["depends_on_id"]], one["type"]) for one in told["links"]
                ]
                assert sorted(drawn) == sorted(one for one in links if {one[0], one[1]} <= shown)
                assert order == sorted(order)
                few: Any = await catalog.get(
                    f"services/{made[start]}/impact", direction=direction, depth=depth, limit=3
                )
                assert (few["count"], few["items"]) == (len(expected), told["items"][:3])
