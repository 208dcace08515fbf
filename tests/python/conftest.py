"""What all Python tests share."""

import os
from pathlib import Path

import pytest

from cuda_driver import build

ROOT = Path(__file__).resolve().parents[2]


def shared(path: str) -> Path:
    """Give the path of shared data which is not part of the repository.

    It is looked for under COMPTOIR_SHARED, else in `shared` beside the repository. A test whose data
    is absent is skipped on a developer's machine and fails where CI is set: there a silent skip would
    hide a lost test.
    """
    base = Path(os.environ.get("COMPTOIR_SHARED", ROOT.parent / "shared"))
    found = base / path
    if found.exists():
        return found
    message = f"shared data `{path}` is absent: set COMPTOIR_SHARED to the directory that holds it"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(name="shared")
def shared_fixture():
    """Give the function `shared` to tests."""
    return shared


@pytest.fixture(scope="session")
def driver(tmp_path_factory) -> Path:
    """Give the CUDA driver of the tests, on the CPU, as a library."""
    return build(tmp_path_factory.mktemp("driver"))


@pytest.fixture
def root() -> Path:
    """Give the root directory of the repository."""
    return ROOT
