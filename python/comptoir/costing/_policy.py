"""Policies: how stock is valued, as data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

from comptoir import _native
from comptoir.costing import _arguments


class Policy:
    """How stock is valued. Every field has a default; an unknown one is refused.

    Parameters
    ----------
    source : mapping or str, optional
        Fields as a mapping, or as JSON or YAML text. Keywords are laid over it.
    **fields
        Fields of the policy, such as ``method="fifo"``, ``negative="cover"``, ``returns="original_cost"``,
        ``money_scale=2``, ``rounding="half_even"``. The guide lists them all (docs/policy.md).

    Raises
    ------
    ConfigError
        With the path of the field that is wrong.

    Examples
    --------
    >>> from comptoir.costing import Policy
    >>> Policy(method="fifo").to_dict()["negative"]
    'reject'
    >>> Policy.preset("odoo", method="fifo") == Policy(Policy.preset("odoo").to_dict(), method="fifo")
    True
    """

    __slots__ = ("_json",)

    _json: str

    def __init__(self, source: Mapping[str, Any] | str | None = None, /, **fields: Any) -> None:
        if isinstance(source, str):
            source = _arguments.text("policy", source)
            text = _native.costing_policy(form_of(source), source)
            if fields:
                text = _native.costing_policy("mapping", _dump({**json.loads(text), **fields}))
        else:
            given = {} if source is None else _arguments.fields_of("policy", source, "COSTING_POLICY")
            text = _native.costing_policy("mapping", _dump({**given, **fields}))
        self._json = text

    @classmethod
    def preset(cls, name: str, **fields: Any) -> Policy:
        """Policy of a common system, with fields laid over it.

        Parameters
        ----------
        name : str
            One of `presets`.
        **fields
            Fields that are to be otherwise.

        Returns
        -------
        Policy

        Raises
        ------
        ConfigError
            For a name that is none of the presets, or a wrong field.
        """
        return cls(_native.costing_policy("preset", _arguments.text("preset", name)), **fields)

    def to_dict(self) -> dict[str, Any]:
        """All fields as a dict.

        Returns
        -------
        dict
        """
        fields: dict[str, Any] = json.loads(self._json)
        return fields

    def to_json(self) -> str:
        """All fields as JSON text.

        Returns
        -------
        str
        """
        return self._json

    def __eq__(self, other: object) -> bool:
        return self._json == other._json if isinstance(other, Policy) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._json)

    def __repr__(self) -> str:
        default = Policy().to_dict()
        shown = {name: field for name, field in self.to_dict().items() if default[name] != field}
        return f"Policy({', '.join(f'{name}={field!r}' for name, field in shown.items())})"


PolicyLike: TypeAlias = Policy | Mapping[str, Any] | str
"""A policy, or what `Policy` can be made of."""


def presets() -> dict[str, str]:
    """Names of the presets, each with the system that it stands for.

    Returns
    -------
    dict of str to str
    """
    return dict(_native.costing_presets())


def _dump(fields: Mapping[str, Any]) -> str:
    return _arguments.fields_text("policy", fields, "COSTING_POLICY")


def form_of(text: str) -> str:
    """Whether text is JSON or must be YAML; YAML may begin with a brace too."""
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return "yaml"
    return "json" if isinstance(fields, dict) else "yaml"
