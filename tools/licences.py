"""Check licences, bans and sources of all crates in the tree against deny.toml.

The same rules that `cargo deny check licenses bans sources` applies, for machines where cargo-deny cannot
be installed. It needs cargo and Python alone. Advisories need a database from the network and are left to
cargo-deny.

Usage: python tools/licences.py
"""

import collections
import json
import re
import subprocess
import sys
from pathlib import Path

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    from pip._vendor import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Print each breach of deny.toml; return how many there are, at most 1."""
    rules = tomllib.loads((ROOT / "deny.toml").read_text())
    packages = metadata()
    problems = [
        *licence_problems(packages, rules["licenses"]),
        *ban_problems(packages, rules["bans"]["deny"]),
        *source_problems(packages, rules["sources"]["allow-registry"]),
    ]
    for problem in problems:
        print(problem)
    print(f"{len(packages)} crates checked against deny.toml, {len(problems)} problems")
    return min(len(problems), 1)


def metadata() -> list[dict]:
    """Give all packages of the locked dependency tree, with all features."""
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--all-features"]
    answer = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    return json.loads(answer)["packages"]


def licence_problems(packages: list[dict], rules: dict) -> list[str]:
    """Name the crates whose licence the allowed ones, and exceptions for the crate, do not satisfy."""
    allowed = set(rules["allow"])
    exceptions = {rule["crate"]: set(rule["allow"]) for rule in rules.get("exceptions", [])}
    return [
        f"{package['name']} {package['version']}: licence `{package['license']}` is not allowed"
        for package in packages
        if not satisfied(package["license"] or "", allowed | exceptions.get(package["name"], set()))
    ]


def satisfied(expression: str, allowed: set[str]) -> bool:
    """Tell whether the allowed licences satisfy an SPDX expression.

    >>> satisfied("MIT OR GPL-3.0", {"MIT"}), satisfied("MIT AND GPL-3.0", {"MIT"})
    (True, False)
    >>> satisfied("(MIT OR Apache-2.0) AND Unicode-3.0", {"MIT", "Unicode-3.0"}), satisfied("", {"MIT"})
    (True, False)
    """
    # Old manifests write `MIT/Apache-2.0` for OR.
    tokens = re.findall(r"[()]|[\w.+-]+(?: WITH [\w.-]+)?", expression.replace("/", " OR "))
    words = {"AND": "and", "OR": "or", "(": "(", ")": ")"}
    formula = " ".join(words.get(token) or str(token in allowed) for token in tokens)
    # The formula holds nothing but True, False, and, or and brackets.
    return bool(tokens) and bool(eval(formula, {"__builtins__": {}}))


def ban_problems(packages: list[dict], denied: list[dict]) -> list[str]:
    """Name the crates that are banned, or are in the tree in more versions than allowed."""
    versions = collections.defaultdict(set)
    for package in packages:
        versions[package["name"]].add(package["version"])
    problems = []
    for rule in denied:
        found = sorted(versions[rule["name"]])
        if rule.get("deny-multiple-versions"):
            if len(found) > 1:
                problems.append(f"{rule['name']}: several versions in one build: {', '.join(found)}")
        elif found:
            problems.append(f"{rule['name']} {found[0]}: banned")
    return problems


def source_problems(packages: list[dict], registries: list[str]) -> list[str]:
    """Name the crates that come from elsewhere than the workspace or an allowed registry."""
    known = {f"registry+{url}" for url in registries}
    return [
        f"{package['name']} {package['version']}: unknown source `{package['source']}`"
        for package in packages
        if package["source"] and package["source"] not in known
    ]


if __name__ == "__main__":
    sys.exit(main())
