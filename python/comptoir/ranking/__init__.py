"""Rankings: boards, rank numbers, and published snapshots that other processes read.

`Board` makes boards of tables. `Publisher` writes boards as an immutable version, `Reader` reads pages of it
in any process. `rank` numbers values, `compare` says what changed between two orders, `Leaderboard` and
`LiveBoard` are kept current from changes, and `comptoir.ranking.normalise` has the formulas of scores.

Examples
--------
>>> from comptoir import ranking
>>> list(ranking.rank([30, 50, 30], "dense"))
[2, 1, 2]
>>> ranking.compare(["mug", "bag"], ["bag", "mug"]).kendall_tau
-1.0
"""

from comptoir._native import Leaderboard, Page, Reader
from comptoir.ranking import evaluate, normalise
from comptoir.ranking._board import Board, Boards, SpecLike, build
from comptoir.ranking._board_result import Explanation, Report, Result
from comptoir.ranking._live import LiveBoard, LiveCounts
from comptoir.ranking._publish import BoardTable, Publisher
from comptoir.ranking._rank import compare, mmr, rank
from comptoir.ranking._results import Comparison, Entry, Move

__all__ = [
    "Board",
    "BoardTable",
    "Boards",
    "Comparison",
    "Entry",
    "Explanation",
    "Leaderboard",
    "LiveBoard",
    "LiveCounts",
    "Move",
    "Page",
    "Publisher",
    "Reader",
    "Report",
    "Result",
    "SpecLike",
    "build",
    "compare",
    "evaluate",
    "mmr",
    "normalise",
    "rank",
]
