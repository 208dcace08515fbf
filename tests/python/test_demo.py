"""The demo: a shop that its seed decides, figures that agree, a report without network, clear refusals."""

import dataclasses
import hashlib
import io
import re
import subprocess
import sys
from datetime import date
from decimal import Decimal
from html.parser import HTMLParser

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from comptoir.costing import Policy, value
from comptoir.demo import boards, guard, online_retail, report, shop, sources, words
from comptoir.demo.__main__ import main
from comptoir.demo.figures import figures
from comptoir.demo.history import InputError, progress
from comptoir.demo.summary import summary

ITEMS, DAYS = 60, 120


def quiet(_text):
    pass


@pytest.fixture(scope="module")
def small_shop():
    return shop.history(7, ITEMS, DAYS, quiet)


@pytest.fixture(scope="module")
def small_figures(small_shop):
    return figures(small_shop, Policy(small_shop.policy), quiet)


class Addresses(HTMLParser):
    """Collects what a page would load or link to."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        self.found.extend(
            (tag, name, text) for name, text in attrs if name in {"src", "href", "srcset", "data"}
        )


def digest(table):
    text = repr(table.to_pydict()).encode()
    return hashlib.sha256(text).hexdigest()


def test_the_same_seed_makes_the_same_shop(small_shop):
    again = shop.history(7, ITEMS, DAYS, quiet)
    assert again.movements.equals(small_shop.movements)
    assert not shop.history(8, ITEMS, DAYS, quiet).movements.equals(small_shop.movements)
    # Equal on every machine and Python; whoever changes the shop on purpose writes the new value here.
    assert digest(small_shop.movements)[:16] == "433c536cd12211ef"


def test_the_shop_has_what_shops_have(small_shop):
    kinds = set(pc.unique(small_shop.movements["kind"].cast(pa.string())).to_pylist())
    assert kinds >= {
        "opening",
        "receipt",
        "provisional_receipt",
        "settlement",
        "issue",
        "sales_return",
        "transfer_out",
        "transfer_in",
        "count",
        "cost_adjustment",
    }


def test_typing_errors_are_rejected_by_reason():
    history = shop.history(1, 400, 120, quiet)
    found = figures(history, Policy(history.policy), quiet)
    codes = {reason.code for reason in found.rejections}
    assert codes >= {"COSTING_UNKNOWN_KIND", "COSTING_QUANTITY_SIGN", "COSTING_DUPLICATE_ID"}
    assert sum(reason.count for reason in found.rejections) == found.counts.rejected
    assert found.counts.accepted + found.counts.rejected == found.counts.input == history.movements.num_rows
    for code in codes:
        assert "_" not in words.rejection(code)


def test_all_sums_agree(small_figures):
    found = small_figures
    balances = {row["account"]: row["balance"] for row in found.accounts}
    assert found.agrees
    assert found.is_balanced
    assert found.stock == balances["inventory"]
    assert found.cost == balances["cost_of_sales"]
    assert found.cost == sum(month.cost for month in found.months)
    assert found.revenue == sum(month.revenue for month in found.months)
    assert found.stock == sum(bucket.value for bucket in found.buckets) + found.shortage
    assert found.stock == found.days[-1][1] == sum(row["value"] for row in found.items)
    assert found.cost == sum(row["cost"] for row in found.items)
    assert sum(row["balance"] for row in found.accounts) == 0
    moving_average = found.methods[0]
    assert (moving_average.stock, moving_average.cost) == (found.stock, found.cost)


def test_the_summary_says_what_matters(small_shop, small_figures):
    text = summary(small_shop, small_figures)
    assert "Vouchers balanced: yes" in text
    assert "Inventory accounts agree with the stock: yes" in text
    assert words.money(small_figures.stock, "€") in text
    assert max(map(len, text.splitlines())) < 200
    for part in ("Gross margin", "Rejected", "Age of the stock", "FIFO", "Negative stock"):
        assert part in text


def test_the_report_stands_alone(small_shop, small_figures):
    guarded = guard.guard(small_figures.sales_lines, quiet)
    ranked = boards.boards(small_shop, small_figures.sales_lines, quiet)
    page = report.page(small_shop, small_figures, guarded, ranked)
    parser = Addresses()
    parser.feed(page)
    assert parser.found == []
    assert "@import" not in re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    assert "Plotly.newPlot" in page
    for chart in ("stock-value", "margin", "ageing", "items"):
        assert f'id="{chart}"' in page
    assert f"{guarded.lines:,} sales lines" in page
    for heading in (
        "Rejected lines",
        "Sales that a guard would stop",
        "Trial balance of the stock vouchers",
        "The same movements by method",
    ):
        assert f"<h2>{heading}</h2>" in page
    assert words.money(small_figures.stock, "€") in page


def lines_of(rows):
    """Sales lines of one item; its usual price is 10 and its usual quantity 1."""
    rows = [(1, "10", "6")] * 9 + rows
    money = pa.decimal128(18, 2)
    qty, amount, cost = zip(*rows, strict=True)
    return pa.table(
        {
            "movement_id": [f"s{number}" for number in range(len(rows))],
            "item": ["mug"] * len(rows),
            "day": pa.array([date(2026, 1, 2)] * len(rows)),
            "qty": pa.array([Decimal(one) for one in qty], pa.decimal128(18, 0)),
            "amount": pa.array([Decimal(one) for one in amount], money),
            "cost": pa.array([Decimal(one) for one in cost], money),
        }
    )


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ((1, "0", "6"), "goods for nothing"),
        ((2, "5.98", "12"), "far below the floor"),
        ((1, "3", "6"), "below the floor"),
        ((20, "200", "120"), "quantity outlier"),
        ((1, "5.99", "6"), "sold below cost"),
        ((-20, "-200", "-120"), "large return"),
        ((1, "6", "6"), None),
        ((19, "190", "114"), None),
    ],
)
def test_the_guard_finds_a_line(line, rule):
    guarded = guard.guard(lines_of([line]), quiet)
    assert [one.rule for one in guarded.findings] == ([rule] if rule else [])
    if rule:
        assert guarded.findings[0].lines == 1
        assert guarded.findings[0].value == abs(Decimal(line[1]))
        assert guarded.example.startswith("s9 of 2026-01-02")
        assert guarded.because


def test_the_usual_is_the_lower_median_of_each_item():
    items = ["b", "a", "b", "c", "a", "b", "c", "a", "b"]
    values = [4, 9, 1, 7, 3, 2, 8, 5, 3]
    found = guard._medians(
        pa.chunked_array([items[:4], items[4:]]), pa.chunked_array([values[:4], values[4:]])
    )
    assert dict(zip(found[0].to_pylist(), found[1].to_pylist(), strict=True)) == {"a": 5, "b": 2, "c": 7}


def test_the_guard_on_trial_stops_nothing():
    guarded = guard.guard(lines_of([(1, "12.51", "6")]), quiet)
    assert guarded.findings == []
    assert guarded.on_trial == {"dear": 1}
    assert "nothing to look at" in guard.text(guarded, "€")


def test_the_guard_needs_lines(small_figures):
    assert guard.guard(small_figures.sales_lines.slice(0, 0), quiet) is None
    text = guard.text(guard.guard(small_figures.sales_lines, quiet), "€")
    assert text.startswith(f"Order guard: {small_figures.sales_lines.num_rows:,} sales lines")
    assert small_figures.revenue == pc.sum(small_figures.sales_lines["amount"]).as_py()


def test_best_sellers_before_and_after_an_operator(small_shop, small_figures):
    ranked = boards.boards(small_shop, small_figures.sales_lines, quiet)
    assert [place.position for place in ranked.places] == list(range(1, len(ranked.places) + 1))
    pinned = [place for place in ranked.places if place.because == "pinned"]
    assert [place.position for place in pinned] == [boards.PIN_AT]
    assert ": position 3" in ranked.explained
    assert "followed the rollback to version 1" in boards.text(ranked)
    assert boards.boards(small_shop, small_figures.sales_lines.slice(0, 0), quiet) is None


def test_names_are_escaped(small_shop, small_figures):
    evil = dict.fromkeys(small_shop.names, "<script>alert(1)</script>")
    page = report.page(dataclasses.replace(small_shop, names=evil), small_figures)
    assert "<script>alert(1)" not in page


def test_the_program_runs_and_is_silent_in_a_pipe(tmp_path):
    out = tmp_path / "deep" / "report.html"
    command = [sys.executable, "-m", "comptoir.demo", "--items", "40", "--days", "40", "--out", str(out)]
    ran = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    assert "Vouchers balanced: yes" in ran.stdout
    assert "Order guard: " in ran.stdout
    assert str(out) in ran.stdout
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_progress_is_for_terminals():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal, pipe = Terminal(), io.StringIO()
    progress(terminal)("reading")
    progress(pipe)("reading")
    assert "reading" in terminal.getvalue()
    assert pipe.getvalue() == ""


@pytest.mark.parametrize("name", ["nothing.parquet", "text.txt", "other.parquet", "broken.parquet", "empty"])
def test_anything_else_is_refused_with_what_was_expected(tmp_path, capsys, name):
    (tmp_path / "text.txt").write_text("hello")
    (tmp_path / "broken.parquet").write_text("hello")
    (tmp_path / "empty").mkdir()
    pq.write_table(pa.table({"a": [1]}), tmp_path / "other.parquet")
    out = tmp_path / "report.html"
    assert main([str(tmp_path / name), "--out", str(out)]) == 2
    message = capsys.readouterr().err
    assert name in message
    for expected in ("movement_id", "InvoiceNo", "PurchaseOrderDetail.csv"):
        assert expected in message
    assert not out.exists()


def test_floats_for_money_are_refused(tmp_path, capsys):
    columns = {"movement_id": [1], "item": ["mug"], "at": pa.array([0], pa.date32()), "kind": ["receipt"]}
    pq.write_table(pa.table({**columns, "quantity": [1], "amount": [1.5]}), tmp_path / "floats.parquet")
    assert main([str(tmp_path / "floats.parquet"), "--out", str(tmp_path / "report.html")]) == 2
    assert "amount" in capsys.readouterr().err


def test_a_csv_file_of_movements_is_valued_as_it_is(tmp_path):
    source = tmp_path / "movements.csv"
    source.write_text(
        "movement_id,item,at,kind,quantity,amount,revenue\n"
        "1,mug,2026-01-02,receipt,10,25.125,\n"
        "2,mug,2026-01-05,issue,4,,20.00\n"
    )
    history = sources.read(source, quiet)
    found = figures(history, Policy(history.policy), quiet)
    assert (found.stock, found.cost, found.revenue) == (Decimal("15.075"), Decimal("10.050"), Decimal(20))


def test_a_history_without_sales_has_a_report(tmp_path, capsys):
    source = tmp_path / "movements.csv"
    source.write_text("movement_id,item,at,kind,quantity,amount\n1,mug,2026-01-02,receipt,10,25.00\n")
    out = tmp_path / "report.html"
    assert main([str(source), "--out", str(out)]) == 0
    assert "25.00" in capsys.readouterr().out
    assert 'id="margin"' not in out.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("prices", "pence"),
    [([2550], 153), ([1000, 2000], 90), ([0, 0, 850], 51), ([0], None), ([275, 275], 16), ([1025], 62)],
)
def test_a_receipt_costs_sixty_per_cent_of_the_median(prices, pence):
    assert online_retail._cost(prices) == pence


def test_online_retail(shared):
    history = sources.read(shared("data/online_retail/online_retail.parquet"), quiet)
    lines = history.movements.num_rows - int(history.facts["Receipts derived"].replace(",", ""))
    assert lines + sum(history.left_out.values()) == history.input_rows == 541_909
    assert pc.count_distinct(history.movements["movement_id"]).as_py() == history.movements.num_rows
    found = figures(history, Policy(history.policy), quiet)
    assert found.agrees
    assert found.is_balanced
    assert found.revenue == Decimal("9792708.883")
    assert found.counts.rejected == 0
    assert found.stock == sum(bucket.value for bucket in found.buckets) + found.shortage
    ranked = boards.boards(history, found.sales_lines, quiet)
    assert ranked.shown == "United Kingdom, November 2011"
    assert ranked.floor.startswith(
        "23843, 80,995 units in 1 order, would lead United Kingdom in December 2011"
    )
    guarded = guard.guard(found.sales_lines, quiet)
    assert guarded.lines == found.sales_lines.num_rows
    assert {one.rule for one in guarded.findings} == {
        "goods for nothing",
        "far below the floor",
        "quantity outlier",
        "below the floor",
        "sold below cost",
        "large return",
    }


def test_online_retail_of_another_form_is_refused():
    columns = {name: ["x"] for name in online_retail.COLUMNS}
    with pytest.raises(InputError, match="another form"):
        online_retail.history(pa.table(columns), quiet)


def test_adventureworks(shared):
    history = sources.read(shared("data/adventureworks"), quiet)
    found = figures(history, Policy(history.policy), quiet)
    assert history.input_rows == 8845
    assert found.counts.rejected == 0
    assert found.agrees
    received = pa.table(value(history.movements, history.policy).postings)
    received = received.filter(pc.is_in(received["kind"], pa.array(["receipt", "purchase_return"])))
    assert pc.sum(received["value"]).as_py() == found.stock + found.production
    assert pc.sum(received["quantity"]).as_py() == Decimal(2_254_599)
