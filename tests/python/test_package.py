"""The package as such: version, stubs, type hints, docstrings and their examples."""

import doctest
import importlib.metadata
import inspect
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import comptoir
from comptoir import _native


def run(*command, cwd):
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def public_objects():
    """Every public function, class and method of the package, once, by its dotted name."""
    found = {}
    names = ["comptoir"] + [
        module.name
        for module in pkgutil.walk_packages(comptoir.__path__, "comptoir.")
        if not module.name.rsplit(".", 1)[-1].startswith("_")
    ]
    for name in names:
        module = importlib.import_module(name)
        found[name] = module
        for attribute in getattr(module, "__all__", []):
            value = getattr(module, attribute)
            if inspect.ismodule(value) or not (inspect.isclass(value) or inspect.isroutine(value)):
                continue
            found.setdefault(f"{name}.{attribute}", value)
            if inspect.isclass(value):
                for member, inner in vars(value).items():
                    if not member.startswith("_"):
                        found.setdefault(f"{name}.{attribute}.{member}", inner)
    seen = set()
    return {name: value for name, value in found.items() if not (id(value) in seen or seen.add(id(value)))}


OBJECTS = public_objects()


@pytest.mark.parametrize("name", OBJECTS)
def test_every_public_object_is_documented(name):
    if inspect.isroutine(OBJECTS[name]) or inspect.isclass(OBJECTS[name]) or inspect.ismodule(OBJECTS[name]):
        assert (OBJECTS[name].__doc__ or "").strip(), f"{name} has no docstring"


@pytest.mark.parametrize("name", [name for name, value in OBJECTS.items() if ">>>" in (value.__doc__ or "")])
def test_docstring_examples_run(name):
    text = inspect.cleandoc(OBJECTS[name].__doc__)
    example = doctest.DocTestParser().get_doctest(text, {}, name, None, 0)
    output = []
    options = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    result = doctest.DocTestRunner(optionflags=options).run(example, out=output.append)
    assert result.attempted
    assert not result.failed, "".join(output)


def test_version_is_that_of_the_workspace(root):
    manifest = (root / "Cargo.toml").read_text()
    assert comptoir.__version__ == re.search(r'^version = "(.+)"$', manifest, re.MULTILINE)[1]
    assert comptoir.__version__ == importlib.metadata.version("comptoir")


def test_the_wheel_is_for_every_python_from_3_10():
    assert Path(_native.__file__).name == "_native.abi3.so"


def test_stubs_say_what_the_module_has(root):
    checked = run("mypy.stubtest", "comptoir", "--mypy-config-file", "pyproject.toml", cwd=root)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_package_and_examples_type_check(root):
    examples = sorted(str(path) for path in (root / "examples/python").glob("*.py"))
    checked = run("mypy", "python/comptoir", *examples, cwd=root)
    assert checked.returncode == 0, checked.stdout + checked.stderr
