"""Makes seeds for the fuzz targets out of the calls in tests/vectors.

Usage: python tools/fuzz_seeds.py json|arrow DIRECTORY
"""

import sys
from pathlib import Path

VECTORS = Path(__file__).parents[1] / "tests" / "vectors"

# By the number that chooses the call in fuzz/targets/json.rs: the files of a vector that are its texts.
TEXTS = [["policy"], ["source", "environment", "event"], ["set", "event"], ["spec", "context"]]


def json_seeds() -> dict[str, bytes]:
    """Give the texts of every vector that has the first of a call's files."""
    seeds = {}
    for choice, names in enumerate(TEXTS):
        for path in sorted(VECTORS.glob(f"*/*/{names[0]}")):
            files = [path.with_name(name) for name in names]
            texts = [file.read_bytes() if file.exists() else b"" for file in files]
            seeds[f"{path.parent.parent.name}-{path.parent.name}-{choice}"] = bytes([choice]) + b"\0".join(
                texts
            )
    return seeds


def arrow_seeds() -> dict[str, bytes]:
    """Give sound tables: a core, a length, and the same format for every column."""
    return {
        f"core-{core}-format-{form}": bytes([core, 9, *[form, 0, 0, 0] * 12])
        for core in range(3)
        for form in range(44)
    }


def main() -> None:
    """Write one file for each seed."""
    target, directory = sys.argv[1], Path(sys.argv[2])
    for name, content in (json_seeds() if target == "json" else arrow_seeds()).items():
        (directory / name).write_bytes(content)


if __name__ == "__main__":
    main()
