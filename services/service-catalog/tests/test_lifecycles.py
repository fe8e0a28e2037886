from pathlib import Path

from service_catalog import lifecycles

ROOT = Path(__file__).parents[3]
SLICES = Path(lifecycles.__file__).parent


def test_the_page_of_lifecycles_is_current() -> None:
    page = (ROOT / "docs" / "lifecycles.md").read_text(encoding="utf-8")
    assert page == lifecycles.document(), "run make lifecycles"


def test_no_lifecycle_is_left_out() -> None:
    named = {lifecycle.name for lifecycle in lifecycles.LIFECYCLES.values()}
    assert len(named) == len(list(SLICES.glob("*/lifecycle.py"))), f"lifecycles.py names {sorted(named)} only"
