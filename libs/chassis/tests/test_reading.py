import json
from dataclasses import replace
from decimal import Decimal
from typing import Any, Literal
from unicodedata import normalize

import pytest

from chassis.caller import Caller
from chassis.cursors import CursorSeal
from chassis.http.queries import ListQuery
from chassis.listing import Listing
from chassis.outcome import Page
from chassis.reading import find, get, list_page
from chassis.rejection import Rejection
from chassis.testkit.databases import Pools
from chassis.testkit.sample.notes import a_caller, add_note, id_of
from chassis.testkit.sample.tables import NOTES

SEAL = CursorSeal("a secret of the tests")


async def a_page(pools: Pools, caller: Caller, listing: Listing) -> Page:
    async with pools.runtime.begin(caller, read_only=True) as tx:
        return await list_page(tx, NOTES, listing, SEAL)


async def titles(pools: Pools, caller: Caller, **asked: object) -> list[str]:
    page = await a_page(pools, caller, Listing(**asked))  # type: ignore[arg-type]
    return [item["title"] for item in json.loads(page.items)]


@pytest.fixture(scope="module")
async def reader(notes_pools: Pools) -> Caller:
    caller = a_caller()
    for title in ("b", "a", "c%", "a", "d_"):
        await add_note(notes_pools.runtime, caller, title=title)
    await add_note(notes_pools.runtime, a_caller(), title="somebody else's")
    return caller


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        (None, ["b", "a", "c%", "a", "d_"]),
        ("-created_at", ["d_", "a", "c%", "a", "b"]),
        ("title", ["a", "a", "b", "c%", "d_"]),
        ("-title", ["d_", "c%", "b", "a", "a"]),
    ],
)
@pytest.mark.parametrize("limit", [1, 2, 3, 5, 50])
async def test_pages_together_are_the_list(
    notes_pools: Pools, reader: Caller, sort: str | None, expected: list[str], limit: int
) -> None:
    seen: list[str] = []
    after = None
    while True:
        page = await a_page(notes_pools, reader, Listing(limit=limit, sort=sort, after=after, count=True))
        items = json.loads(page.items)
        assert len(items) <= limit
        assert page.count == 5
        seen += [item["title"] for item in items]
        after = page.next
        if after is None:
            break
    assert seen == expected


async def test_filters_and_search(notes_pools: Pools, reader: Caller) -> None:
    assert await titles(notes_pools, reader, filters={"title": "a"}) == ["a", "a"]
    assert await titles(notes_pools, reader, filters={"title": ["b", "d_"]}) == ["b", "d_"]
    assert await titles(notes_pools, reader, filters={"title_from": "b", "title_to": "d"}) == ["b", "c%"]
    assert await titles(notes_pools, reader, q="%") == ["c%"]
    assert await titles(notes_pools, reader, q="_") == ["d_"]
    assert await titles(notes_pools, reader, q="nothing") == []


async def test_what_has_no_value_can_be_asked_for(notes_pools: Pools) -> None:
    caller = a_caller()
    notes: list[tuple[str, dict[str, Any]]] = [("a", {}), ("b", {"weight": Decimal(1)}), ("c", {"key": "k"})]
    for title, given in notes:
        await add_note(notes_pools.runtime, caller, title=title, **given)
    assert await titles(notes_pools, caller, empty=("weight",)) == ["a", "c"]
    assert await titles(notes_pools, caller, empty=("key", "weight")) == ["a"]
    assert await titles(notes_pools, caller, empty=("key",), filters={"weight_from": Decimal(1)}) == ["b"]
    page = await a_page(notes_pools, caller, Listing(limit=1, empty=("weight",), count=True))
    assert page.count == 2
    for other in (Listing(after=page.next), Listing(after=page.next, empty=("key",))):
        with pytest.raises(Rejection) as refused:
            await a_page(notes_pools, caller, other)
        assert refused.value.faults[0].code == "cursor-invalid"
    for never in ("title", "nothing", "org", "price"):
        with pytest.raises(Rejection) as refused:
            await titles(notes_pools, caller, empty=("weight", never))
        assert [(fault.pointer, fault.code) for fault in refused.value.faults] == [("empty", "field-unknown")]


async def test_a_text_is_found_however_its_letters_are_composed(notes_pools: Pools) -> None:
    caller = a_caller()
    forms: tuple[Literal["NFC", "NFD"], ...] = ("NFC", "NFD")
    for form in forms:
        await add_note(notes_pools.runtime, caller, title=normalize(form, "Müllabfuhr"))
    for form in forms:
        assert len(await titles(notes_pools, caller, q=normalize(form, "müll"))) == 2


async def test_only_the_fields_asked_for(notes_pools: Pools, reader: Caller) -> None:
    page = await a_page(notes_pools, reader, Listing(limit=1, fields=("title", "version")))
    assert json.loads(page.items) == [{"title": "b", "version": 1}]
    with pytest.raises(Rejection) as refused:
        await a_page(notes_pools, reader, Listing(fields=("org",)))
    assert refused.value.faults[0].pointer == "fields"


async def test_a_cursor_is_good_for_its_own_question_only(notes_pools: Pools, reader: Caller) -> None:
    cursor = (await a_page(notes_pools, reader, Listing(limit=1))).next
    assert cursor is not None
    forged = cursor[:-2] + ("AA" if cursor[-2:] != "AA" else "BB")
    for listing in (
        Listing(limit=1, after=cursor, sort="title"),
        Listing(limit=1, after=cursor, filters={"title": "a"}),
        Listing(limit=1, after=forged),
        Listing(limit=1, after="no cursor"),
        Listing(limit=1, after="ä"),
    ):
        with pytest.raises(Rejection) as refused:
            await a_page(notes_pools, reader, listing)
        assert refused.value.faults[0].code == "cursor-invalid"


@pytest.mark.parametrize("letter", ["a", '"', "Ж", "中", "😀", "\x01"])
async def test_a_cursor_is_taken_back_whatever_it_is_sorted_by(notes_pools: Pools, letter: str) -> None:
    caller = a_caller()
    for _ in range(2):
        await add_note(notes_pools.runtime, caller, title=letter * 200)
    cursor = (await a_page(notes_pools, caller, Listing(limit=1, sort="title"))).next
    asked = ListQuery(sort="title", after=cursor)
    assert len(json.loads((await a_page(notes_pools, caller, asked.listing())).items)) == 1


@pytest.mark.parametrize("sort", ["labels", "--title", "-", ""])
async def test_an_unknown_order_is_refused(notes_pools: Pools, reader: Caller, sort: str) -> None:
    with pytest.raises(Rejection) as refused:
        await a_page(notes_pools, reader, Listing(sort=sort))
    assert refused.value.faults[0].code == "sort-unknown"


async def test_a_text_to_look_for_needs_texts(notes_pools: Pools, reader: Caller) -> None:
    async with notes_pools.runtime.begin(reader, read_only=True) as tx:
        with pytest.raises(Rejection) as refused:
            await list_page(tx, replace(NOTES, search=()), Listing(q="a"), SEAL)
    assert refused.value.faults[0].code == "not-searchable"


async def test_another_organisations_resource_is_not_there(notes_pools: Pools, reader: Caller) -> None:
    written = await add_note(notes_pools.runtime, a_caller())
    async with notes_pools.runtime.begin(reader, read_only=True) as tx:
        assert await find(tx, NOTES, id_of(written)) is None
        with pytest.raises(Rejection, match="no such note"):
            await get(tx, NOTES, id_of(written))
