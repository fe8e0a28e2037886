from itertools import permutations
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from chassis import ids
from project_tracker.plans.links.soundness import Ends, blamed, faults_of
from project_tracker.plans.tasks.outline import Node, Outline, reading_order
from project_tracker.plans.tasks.placing import Placed, Placement, place


def an_outline(*codes: str) -> Outline:
    return Outline(Node(ids.new_id(), wbs, "task") for wbs in codes).settled()


def an_item(wbs: str, *, parent: str | None = None, known: Node | None = None, kind: str | None = "task") -> Placement:
    return Placement(
        id=known.id if known else ids.new_id(),
        wbs=wbs,
        kind=kind,
        parent_wbs=parent,
        is_placed=parent is not None,
        known=known,
    )


def parents(outline: Outline) -> dict[str, str | None]:
    return {node.wbs: outline.nodes[node.parent_id].wbs if node.parent_id else None for node in outline.nodes.values()}


def links(outline: Outline, *written: str) -> list[Ends]:
    return [Ends(named(outline, text[0]), named(outline, text[1]), "FS") for text in written]


def named(outline: Outline, wbs: str) -> UUID:
    found = outline.id_of(wbs)
    assert found is not None
    return found


def test_the_parent_is_the_longest_prefix_present() -> None:
    outline = an_outline("1", "1.2", "1.2.3.4", "2.1", "10")
    assert parents(outline) == {"1": None, "1.2": "1", "1.2.3.4": "1.2", "2.1": None, "10": None}


def test_a_task_with_subtasks_is_a_summary() -> None:
    outline = an_outline("1", "1.1")
    assert {node.wbs: node.kind for node in outline.nodes.values()} == {"1": "summary", "1.1": "task"}


def test_the_order_of_a_batch_does_not_matter() -> None:
    for order in permutations(["1", "1.1", "1.1.1", "1.1.2"]):
        placed = place(Outline([]), [], {index: an_item(wbs) for index, wbs in enumerate(order)})
        assert parents(placed.outline) == {"1": None, "1.1": "1", "1.1.1": "1.1", "1.1.2": "1.1"}


def test_a_longer_prefix_that_comes_later_takes_over_what_is_below_it() -> None:
    before = an_outline("1", "1.1.1")
    placed = place(before, [], {0: an_item("1.1")})
    assert parents(placed.outline)["1.1.1"] == "1.1"
    assert [node.wbs for node in placed.outline.moved(before)] == ["1.1.1"]


def test_a_parent_that_was_named_stays() -> None:
    before = place(an_outline("1", "2"), [], {0: an_item("1.1.1", parent="2")}).outline
    assert parents(before)["1.1.1"] == "2"
    assert parents(place(before, [], {0: an_item("1.1")}).outline)["1.1.1"] == "2"


def test_codes_sort_as_they_are_read() -> None:
    codes = ["1", "1.2", "1.10", "1.10.1", "2", "10", "A", "B.1"]
    shuffled = [codes[place] for place in (4, 7, 0, 2, 6, 1, 5, 3)]
    assert sorted(shuffled, key=reading_order) == codes


def refused(placed: Placed) -> dict[int, str]:
    return {index: rejection.code for index, rejection in placed.refused.items()}


def test_what_hangs_on_a_refused_item_is_refused_with_it() -> None:
    items = {0: an_item("a", parent="nowhere"), 1: an_item("b", parent="a"), 2: an_item("c")}
    assert refused(place(Outline([]), [], items)) == {0: "invalid-input", 1: "invalid-input"}


def test_tasks_cannot_contain_each_other() -> None:
    items = {0: an_item("a", parent="b"), 1: an_item("b", parent="a"), 2: an_item("c"), 3: an_item("d", parent="d")}
    assert refused(place(Outline([]), [], items)) == dict.fromkeys((0, 1, 3), "parent-cycle")


def test_one_code_is_given_once() -> None:
    outline = an_outline("1")
    assert refused(place(outline, [], {0: an_item("1"), 1: an_item("2"), 2: an_item("2")})) == {
        0: "wbs-taken",
        1: "invalid-input",
        2: "invalid-input",
    }


def test_a_task_that_an_ff_link_leads_to_gets_no_subtasks() -> None:
    outline = an_outline("1", "2")
    known = [Ends(named(outline, "1"), named(outline, "2"), "FF")]
    placed = place(outline, known, {0: an_item("2.1"), 1: an_item("3")})
    assert refused(placed) == {0: "link-onto-summary"}


def test_of_links_in_a_ring_the_last_is_to_blame() -> None:
    outline = an_outline("a", "b", "c", "d")
    new = dict(enumerate(links(outline, "ab", "bc", "ac", "ca", "cd")))
    assert {index: fault.code for index, fault in blamed(outline, [], new).items()} == {3: "cycle"}
    (fault,) = blamed(outline, links(outline, "ab", "bc"), {7: links(outline, "ca")[0]}).values()
    assert "a → b → c → a" in fault.message or "b → c → a → b" in fault.message or "c → a → b → c" in fault.message


def test_a_ring_through_a_summary_is_found() -> None:
    outline = an_outline("1", "1.1", "2")
    new = {
        0: Ends(named(outline, "1"), named(outline, "2"), "FS"),
        1: Ends(named(outline, "2"), named(outline, "1"), "FS"),
    }
    assert {index: fault.code for index, fault in blamed(outline, [], new).items()} == {1: "cycle"}


def test_links_within_a_branch_and_to_itself_are_refused_by_themselves() -> None:
    outline = an_outline("1", "1.1", "2")
    one, part, two = (named(outline, wbs) for wbs in ("1", "1.1", "2"))
    new = {0: Ends(one, part, "FS"), 1: Ends(two, two, "FS"), 2: Ends(two, one, "FF"), 3: Ends(two, part, "FF")}
    assert {index: fault.code for index, fault in blamed(outline, [], new).items()} == {
        0: "link_within_branch",
        1: "link_to_itself",
        2: "link_onto_summary",
    }


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=20))
def test_what_is_not_blamed_is_sound(pairs: list[tuple[int, int]]) -> None:
    outline = an_outline("1", "1.1", "1.2", "2", "2.1", "2.1.1", "3", "4")
    nodes = list(outline.nodes)
    new = {index: Ends(nodes[before], nodes[after], "FS") for index, (before, after) in enumerate(pairs)}
    guilty = blamed(outline, [], new)
    assert not faults_of(outline, [link for index, link in new.items() if index not in guilty])
    kept = [link for index, link in new.items() if index not in guilty]
    for index in guilty:
        assert faults_of(outline, [*kept, new[index]]) or new[index] in kept
