"""The command ``comptoir rules`` of the package, which is that of the Rust crate."""

import subprocess
import sys

import pytest

SET = """
name: guard
environment: {variables: {price: decimal}}
rules:
  - {id: zero, when: "price == decimal('0')", outputs: {action: review}}
"""
CASES = """
- {name: free, event: {price: "0"}, expect: {fired: [zero]}}
"""


@pytest.fixture
def command(tmp_path):
    (tmp_path / "guard.yaml").write_text(SET)
    (tmp_path / "cases.yaml").write_text(CASES)
    (tmp_path / "wrong.yaml").write_text(SET.replace("price ==", "prise =="))

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "comptoir", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_a_good_set_passes_its_check_and_its_cases(command):
    assert command("rules", "check", "guard.yaml").returncode == 0
    tested = command("rules", "test", "guard.yaml", "cases.yaml")
    assert (tested.returncode, tested.stderr) == (0, "")


def test_a_fault_has_its_place_and_fails(command):
    checked = command("rules", "check", "wrong.yaml")
    assert checked.returncode == 1
    assert checked.stdout.startswith("wrong.yaml:5:23: error: undeclared name `prise`")


def test_a_wrong_use_says_what_is_right(command):
    assert "Usage: comptoir rules" in command("rules", "--help").stdout
    wrong = command("rules", "chek", "guard.yaml")
    assert wrong.returncode == 2
    assert "check" in wrong.stderr
    missing = command("rules", "check", "nowhere.yaml")
    assert (missing.returncode, missing.stdout) == (2, "")
    assert "nowhere.yaml" in missing.stderr
    assert "rules" in command("--help").stdout
