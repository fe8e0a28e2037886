import os
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[4]
sys.path.append(str(Path(__file__).parent))  # for the readers and builders beside the tests


@pytest.fixture(scope="session")
def copied_data() -> Path:
    """Data sets whose licence allows them here."""
    return REPOSITORY / "tests" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Data sets that may not be copied: beside the repository, or where TANDEM_DATA says."""
    folder = Path(os.environ.get("TANDEM_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no shared data in {folder}; set TANDEM_DATA")
    return folder
