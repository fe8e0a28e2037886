import time
from collections.abc import Sequence
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from service_catalog.dependencies.cycles import Link, closing

NODES = [UUID(int=number) for number in range(9)]
PAIRS = [(upper, lower) for upper in NODES for lower in NODES]


def reaches(links: Sequence[Link], start: UUID, end: UUID) -> bool:
    found, waiting = {start}, [start]
    while waiting:
        one = waiting.pop()
        below = {lower for upper, lower in links if upper == one} - found
        found |= below
        waiting += below
    return end in found


def one_by_one(known: Sequence[Link], new: Sequence[Link]) -> set[int]:
    """Judge each link by a search of its own."""
    links, refused = list(known), set()
    for place, (upper, lower) in enumerate(new):
        if reaches(links, lower, upper):
            refused.add(place)
        else:
            links.append((upper, lower))
    return refused


@given(st.lists(st.sampled_from(PAIRS), max_size=25), st.lists(st.sampled_from(PAIRS), max_size=25))
def test_what_is_refused_is_what_a_search_for_each_refuses(first: list[Link], new: list[Link]) -> None:
    known = [(min(link), max(link)) for link in first if link[0] != link[1]]
    assert closing(known, new) == one_by_one(known, new)


def test_a_batch_at_a_large_graph_is_judged_without_a_walk_for_each() -> None:
    nodes = [UUID(int=number) for number in range(10_000)]
    known = [(nodes[n], nodes[min(9_999, n + 1 + (n * k) % 300)]) for n in range(9_999) for k in (1, 2, 3)]
    fine = [(nodes[n], nodes[9_999 - n]) for n in range(998)]
    begun = time.process_time()
    assert closing(known, fine) == set()
    assert closing(known, [*fine, (nodes[9_999], nodes[0]), (nodes[0], nodes[9_999])]) == {998}
    assert time.process_time() - begun < 2  # seconds; a walk for each takes more
