import re

import httpx


async def test_the_welcome_page_is_for_people_and_for_programs(portal: httpx.AsyncClient) -> None:
    page = await portal.get("/", headers={"accept": "text/html,*/*"})
    assert page.headers["content-type"].startswith("text/html")
    links = (await portal.get("/")).json()
    assert links["services"]["kpi-engine"] == "/kpi-engine/v1"


async def test_the_documentation_needs_no_other_host(portal: httpx.AsyncClient) -> None:
    page = await portal.get("/docs")
    assert "script-src 'self'" in page.headers["content-security-policy"]
    links = re.findall(r'(?:href|src)="([^"]+)"', page.text)
    assert len(links) == 4
    for link in links:
        asset = await portal.get(f"/{link}")
        assert asset.status_code == 200, link
        assert asset.content
    assert "://" not in page.text


async def test_an_unknown_path_is_a_problem_document(portal: httpx.AsyncClient) -> None:
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    for path in ("/nowhere", "/docs/passwd"):
        answer = await portal.get(path, headers={"traceparent": f"00-{trace_id}-b7ad6b7169203331-01"})
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json() == {
            "type": "urn:tandem:problem:no-such-path",
            "title": "Not Found",
            "status": 404,
            "code": "no-such-path",
            "detail": "Nothing answers at this path.",
            "instance": path,
            "trace_id": trace_id,
        }


async def test_a_wrong_method_is_a_problem_document_that_names_the_right_ones(portal: httpx.AsyncClient) -> None:
    answer = await portal.put("/oauth/token")
    assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed")
    assert answer.headers["allow"] == "POST"
