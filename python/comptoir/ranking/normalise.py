"""Formulas by which a score is made of metrics, each with its source.

Every function takes numbers, columns (Arrow arrays, NumPy arrays, lists) or both: numbers give a float,
columns an `Array` of floats with null where an argument is null. A result that is not defined is NaN, and an
item with such a score is left out of a board. Logarithms and powers are computed by the library itself, so
that every machine gives the same bits.

Examples
--------
>>> from comptoir.ranking import normalise
>>> normalise.half_life(8.0, age=14.0, half_life=7.0)
2.0
>>> list(normalise.bayesian_average([5.0, 400.0], [1, 100], prior=3.0, weight=9))
[3.2, 3.9174311926605503]
"""

from __future__ import annotations

from typing import Any

from comptoir._native import Array, ranking_among, ranking_formula, ranking_quantile

__all__ = [
    "bayesian_average",
    "cap",
    "hacker_news",
    "half_life",
    "log1p",
    "min_max",
    "percentile",
    "quantile",
    "reddit_hot",
    "wilson_lower",
    "wilson_upper",
    "z_score",
]

_Z95 = 1.959963984540054


def log1p(value: object) -> Any:
    """Natural logarithm of 1 + value: makes a metric with few large values comparable.

    Parameters
    ----------
    value : float or column
        From -1 up.

    Returns
    -------
    float or Array

    Examples
    --------
    >>> from comptoir.ranking import normalise
    >>> normalise.log1p(0)
    0.0
    """
    return ranking_formula("log1p", [value])


def cap(value: object, low: object, high: object) -> Any:
    """Value within bounds: an outlier counts as much as the bound (winsorizing).

    Parameters
    ----------
    value, low, high : float or column
        Bounds are fixed, or from `quantile`.

    Returns
    -------
    float or Array

    Examples
    --------
    >>> from comptoir.ranking import normalise
    >>> list(normalise.cap([3, 80995, 12], 0, 100))
    [3.0, 100.0, 12.0]
    """
    return ranking_formula("cap", [value, low, high])


def half_life(value: object, age: object, half_life: object) -> Any:
    """Exponential decay: value x 2^(-age / half_life).

    Parameters
    ----------
    value : float or column
        What it is worth at age 0.
    age, half_life : float or column
        In one unit. An age below zero counts as zero.

    Returns
    -------
    float or Array
        NaN for a half-life that is not above zero.

    Examples
    --------
    >>> from comptoir.ranking import normalise
    >>> list(normalise.half_life([8, 8], [0, 7], 7))
    [8.0, 4.0]
    """
    return ranking_formula("half_life", [value, age, half_life])


def hacker_news(votes: object, age_hours: object, gravity: object = 1.8) -> Any:
    """Rank of a story on Hacker News: (votes - 1) / (age + 2)^gravity (P. Graham, news.arc, 2008).

    Parameters
    ----------
    votes : float or column
        Votes of the story.
    age_hours : float or column
        Hours since it came; below zero counts as zero.
    gravity : float or column
        How fast it falls.

    Returns
    -------
    float or Array

    Examples
    --------
    >>> from comptoir.ranking import normalise
    >>> round(normalise.hacker_news(100, 5), 6)
    2.981664
    """
    return ranking_formula("hacker_news", [votes, age_hours, gravity])


def reddit_hot(points: object, seconds: object) -> Any:
    """Hot order of Reddit: sign(s) x log10(max(abs(s), 1)) + (seconds - 1134028003) / 45000, to seven places.

    Ten times the points are worth twelve and a half hours (reddit, r2/lib/db/_sorts.pyx).

    Parameters
    ----------
    points : float or column
        Votes up minus votes down, s.
    seconds : float or column
        Seconds since 1970 at which the item came.

    Returns
    -------
    float or Array

    Examples
    --------
    >>> from comptoir.ranking import normalise
    >>> normalise.reddit_hot(100, 1262304000)
    2852.5777111
    """
    return ranking_formula("reddit_hot", [points, seconds])


def wilson_lower(successes: object, trials: object, z: object = _Z95) -> Any:
    """Lower end of the Wilson score interval for a share of successes.

    An item with few trials is ranked by what its share is at least (E. B. Wilson, "Probable inference, the
    law of succession, and statistical inference", JASA 22, 1927).

    Parameters
    ----------
    successes, trials : float or column
        Counts.
    z : float or column
        Quantile of the normal distribution; 1.96 for 95 %.

    Returns
    -------
    float or Array
        0 without trials, NaN for impossible counts.

    Examples
    --------
    >>> from comptoir.ranking import normalise
    >>> round(normalise.wilson_lower(1, 29), 4)
    0.0061
    """
    return ranking_formula("wilson_lower", [successes, trials, z])


def wilson_upper(successes: object, trials: object, z: object = _Z95) -> Any:
    """Upper end of the Wilson score interval for a share of successes.

    Parameters
    ----------
    successes, trials, z : float or column
        As for `wilson_lower`.

    Returns
    -------
    float or Array
        1 without trials, NaN for impossible counts.

    Examples
    --------
    >>> from comptoir.ranking import normalise
    >>> round(normalise.wilson_upper(1, 29), 4)
    0.1718
    """
    return ranking_formula("wilson_upper", [successes, trials, z])


def bayesian_average(total: object, count: object, prior: object, weight: object) -> Any:
    """Mean of ratings, drawn towards a prior: (total + weight x prior) / (count + weight).

    Parameters
    ----------
    total, count : float or column
        Sum and number of the ratings.
    prior : float or column
        The mean of all ratings.
    weight : float or column
        How many ratings of that value are added.

    Returns
    -------
    float or Array
        NaN where both count and weight are zero, or one of them is below it.

    Examples
    --------
    >>> from comptoir.ranking import normalise
    >>> normalise.bayesian_average(5, 1, prior=3, weight=9)
    3.2
    """
    return ranking_formula("bayesian_average", [total, count, prior, weight])


def min_max(values: object) -> Array:
    """Each value as (value - min) / (max - min) of all.

    Parameters
    ----------
    values : column
        Numbers; NaN and null count for nothing.

    Returns
    -------
    Array
        0 to 1; 0 where all values are equal.

    Examples
    --------
    >>> from comptoir.ranking import normalise
    >>> list(normalise.min_max([10, 40, None, 20]))
    [0.0, 1.0, None, 0.3333333333333333]
    """
    return ranking_among("min_max", values)


def z_score(values: object) -> Array:
    """Each value as (value - mean) / standard deviation of the population. Sums are exact, in any order.

    Parameters
    ----------
    values : column
        Numbers; NaN and null count for nothing.

    Returns
    -------
    Array
        0 where all values are equal; NaN where the largest is above 2^480 or below 2^-480, so that no double
        holds its square.

    Examples
    --------
    >>> from comptoir.ranking import normalise
    >>> list(normalise.z_score([1, 3]))
    [-1.0, 1.0]
    """
    return ranking_among("z_score", values)


def percentile(values: object) -> Array:
    """Share of all values that are below each, with half of those that equal it: the mid-rank percentile.

    Parameters
    ----------
    values : column
        Numbers; NaN and null count for nothing.

    Returns
    -------
    Array
        0 to 1.

    Examples
    --------
    >>> from comptoir.ranking import normalise
    >>> list(normalise.percentile([10, 20, 20, 40]))
    [0.125, 0.5, 0.5, 0.875]
    """
    return ranking_among("percentile", values)


def quantile(values: object, share: float) -> float:
    """Value below which a share of the values lies, interpolated between neighbours as by default in NumPy.

    Definition 7 of R. J. Hyndman and Y. Fan, "Sample Quantiles in Statistical Packages", The American
    Statistician 50, 1996.

    Parameters
    ----------
    values : column
        Numbers; NaN and null count for nothing.
    share : float
        0 to 1.

    Returns
    -------
    float
        NaN without values.

    Raises
    ------
    ConfigError
        For a share that is not between 0 and 1.

    Examples
    --------
    >>> from comptoir.ranking import normalise
    >>> normalise.quantile([1, 2, 4, 8], 0.5)
    3.0
    """
    return ranking_quantile(values, share)
