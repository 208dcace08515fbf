"""What operators do to boards: hides, boosts, pins, quotas; nothing that cannot be done is silent."""

import json
from datetime import datetime, timezone

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import comptoir
from comptoir import ranking

ITEMS = pa.table(
    {
        "sku": ["a", "b", "c", "d", "e", "f"],
        "units": [60, 50, 40, 30, 20, 10],
        "price": [9.0, 9.0, 9.0, 2.0, 2.0, 2.0],
        "brand": ["x", "x", "x", "y", "y", None],
    }
)
SPEC = {"id": "top", "item": "sku", "score": "units", "k": 4, "slack": 10}


def build(*interventions, table=ITEMS, context=None, **fields):
    return ranking.build({**SPEC, "interventions": list(interventions), **fields}, table, **(context or {}))


def skus(result):
    return "".join(result.table().to_pydict()["sku"])


def pin(name, item, position, **fields):
    return {"id": name, "items": [item], "pin": position, **fields}


def test_hide_boost_bury_and_pin():
    assert skus(build()) == "abcd"
    assert skus(build({"id": "out", "when": "brand == 'x'", "hide": True})) == "def"
    assert skus(build({"id": "up", "items": ["d"], "boost": {"factor": 1.5}})) == "abdc"
    down = {"id": "down", "items": ["a"], "bury": {"subtract": 15}}
    assert skus(build(down, boost_bounds={"addition": 20.0})) == "bacd"
    result = build(pin("new", "f", 2))
    assert skus(result) == "afbc"
    assert result.report.unpinned == []
    assert result.report.interventions == [{"id": "new", "reason": None, "candidates": 1}]


def test_a_pin_beyond_k():
    [unpinned] = build(pin("deep", "f", 5)).report.unpinned
    assert unpinned == {
        "group": [],
        "id": "deep",
        "item": "f",
        "position": 5,
        "code": "beyond_board",
        "k": 4,
    }


def test_two_pins_on_one_place():
    result = build(pin("one", "e", 2), pin("two", "f", 2, priority=1))
    assert skus(result) == "afbc"
    [unpinned] = result.report.unpinned
    assert (unpinned["id"], unpinned["code"], unpinned["by"]) == ("one", "taken", "two")


def test_an_item_that_is_hidden_is_not_pinned():
    result = build(pin("top", "f", 1), {"id": "out", "items": ["f"], "hide": True})
    assert skus(result) == "abcd"
    assert [one["code"] for one in result.report.unpinned] == ["not_shown"]
    [explanation] = result.explain("f", rows=ITEMS)
    assert explanation.absence == {"code": "hidden", "by": ["out"]}
    assert str(explanation) == "`f` on `top`: hidden by out"


def test_a_quota_that_cannot_be_met():
    quota = {"id": "cheap", "band": {"when": "price < 5.0", "at_least": 4, "of_first": 4}}
    result = build(constraints=[quota])
    [unmet] = result.report.unmet
    assert (unmet["id"], unmet["position"], unmet["found"], unmet["least"]) == ("cheap", 4, 3, 4)
    assert set("def") < set(skus(result))
    possible = {**quota, "band": {"when": "price < 5.0", "at_least": 1, "of_first": 2}}
    result = build(constraints=[possible])
    assert (skus(result), result.report.unmet) == ("adbc", [])


def test_windows_and_one_of_each():
    window = {"id": "mix", "window": {"key": "brand", "most": 1, "width": 2}}
    assert skus(build(constraints=[window])) == "adbe"
    assert skus(build(constraints=[{"id": "once", "one_per": "brand"}])).startswith("adf")


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"interventions": [{"id": "x", "items": ["a"]}]}, "interventions[0]"),
        ({"interventions": [{"id": "x", "items": ["a"], "pin": 0}]}, "interventions[0].pin"),
        (
            {"interventions": [{"id": "x", "items": ["a"], "boost": {"factor": 0.5}}]},
            "interventions[0].boost",
        ),
        ({"interventions": [pin("x", "a", 1), pin("x", "b", 2)]}, "interventions[1].id"),
        ({"constraints": [{"id": "x", "one_per": "brand", "window": None}, {"id": "y"}]}, "constraints[1]"),
        ({"constraints": [{"id": "x", "window": {"key": "brand", "most": 3, "width": 2}}]}, "constraints[0]"),
    ],
)
def test_what_is_wrong_names_the_field(fields, path):
    with pytest.raises(comptoir.ConfigError) as caught:
        ranking.Board({**SPEC, **fields})
    assert caught.value.code == "RANKING_SPEC"
    assert str(caught.value).startswith(f"board spec, {path}")


def test_conditions_of_interventions_and_constraints_are_checked():
    wrong = {"id": "x", "when": "brnd == 'x'", "hide": True}
    with pytest.raises(comptoir.RuleConfigError) as caught:
        build(wrong)
    assert caught.value.path == "interventions[0].when"
    with pytest.raises(comptoir.Error, match=r"constraints\[0\]"):
        build(constraints=[{"id": "x", "band": {"when": "units", "at_least": 1}}])
    with pytest.raises(comptoir.Error, match="brnd"):
        build(constraints=[{"id": "x", "one_per": "brnd"}])


def test_validity_audience_share_and_force():
    spring = {"id": "spring", "items": ["f"], "pin": 1, "valid_until": "2026-04-01T00:00:00Z"}
    for now, first in (("2026-03-31T23:59:59Z", "f"), (datetime(2026, 4, 1), "a")):
        assert skus(build(spring, context={"now": now}))[0] == first
    later = datetime(2026, 4, 1, 1, tzinfo=timezone.utc)
    result = build(spring, context={"now": later})
    assert result.report.interventions[0]["reason"] == {"code": "over"}
    assert skus(build(spring, context={"now": later, "force": {"spring": True}}))[0] == "f"
    for_vip = {"id": "vip", "items": ["f"], "pin": 1, "audience": "audience.level >= 3"}
    assert skus(build(for_vip, context={"audience": {"level": 5}}))[0] == "f"
    assert skus(build(for_vip, context={"audience": {"level": 1}}))[0] == "a"
    half = {"id": "half", "items": ["f"], "pin": 1, "share": "50%"}
    units = [str(number) for number in range(40)]
    inside = [skus(build(half, context={"unit": unit}))[0] == "f" for unit in units]
    assert 8 < sum(inside) < 32
    more = [skus(build({**half, "share": "80%"}, context={"unit": unit}))[0] == "f" for unit in units]
    assert all(wide for narrow, wide in zip(inside, more, strict=True) if narrow)
    with pytest.raises(comptoir.ConfigError, match="validity needs `now`"):
        build(spring)
    with pytest.raises(comptoir.ConfigError, match="no moment"):
        build(spring, context={"now": "yesterday"})
    with pytest.raises(comptoir.ConfigError, match="`none` is no intervention"):
        build(context={"force": {"none": True}})


def test_terms_show_what_they_add():
    terms = [
        {"name": "sold", "value": "units", "normalise": "min_max", "weight": 2},
        {"name": "cheap", "value": "10.0 - price"},
    ]
    result = build(score=terms, show={"terms": True, "organic": True}, k=6)
    table = result.table().to_pydict()
    assert table["sku"][0] == "d"
    added = zip(table["term.sold"], table["term.cheap"], strict=True)
    assert [sold + cheap for sold, cheap in added] == table["score"]
    assert table["organic_position"] == table["position"]
    [explanation] = result.explain("d")
    assert [term["name"] for term in explanation.terms] == ["sold", "cheap"]
    assert sum(term["adds"] for term in explanation.terms) == explanation.score == table["score"][0]
    assert "term cheap: 8.0 -> 8.0 x 1.0 = 8.0" in str(explanation)


def test_explanations_of_groups_and_absence():
    rows = pa.table(
        {"country": ["FR", "FR", "DE", None], "sku": ["a", "b", "a", "a"], "units": [1, 2, -3, 4]}
    )
    spec = {"id": "top", "group": ["country"], "item": "sku", "eligibility": "units > 0", "score": "units"}
    result = ranking.build({**spec, "k": 1}, rows)
    assert {tuple(one.group): one.position for one in result.explain("a")} == {("FR",): None, (None,): 1}
    [low] = result.explain("a", "FR")
    assert (low.absence, low.organic_position) == ({"code": "too_low"}, 2)
    [null] = result.explain("a", [None])
    assert str(null).startswith("`a` on `top` of None: position 1")
    assert [one.absence["code"] for one in result.explain("a", "DE", rows=rows)] == ["not_eligible"]
    assert [one.absence["code"] for one in result.explain("z", "FR", rows=rows)] == ["not_found"]
    assert result.report.cut_ties == []
    assert result.explain("z") == []
    [far] = ranking.build({**SPEC, "k": 1, "slack": 0}, ITEMS).explain("f")
    assert (far.absence, str(far)) == ({"code": "not_kept"}, "`f` on `top`: not kept")


def test_variants_are_compared_before_they_go_live():
    rows = pa.concat_tables([ITEMS.append_column("g", pa.array([group] * 6)) for group in (1, 2)])
    spec = {**SPEC, "group": ["g"], "k": 3}
    change = {"id": "up", "items": ["f"], "pin": 1, "group": "g == 2"}
    changes = ranking.compare(
        ranking.build(spec, rows), ranking.build({**spec, "interventions": [change]}, rows)
    )
    assert changes[(1,)].moved == []
    assert changes[(2,)].moved == [("f", None, 1), ("a", 1, 2), ("b", 2, 3), ("c", 3, None)]
    with pytest.raises(comptoir.ConfigError, match="another `group`"):
        ranking.compare(ranking.build(spec, rows), build())
    with pytest.raises(TypeError):
        ranking.compare(build(), ["a"])


def test_many_boards_in_one_pass():
    specs = [{**SPEC, "id": f"top {k}", "k": k} for k in range(1, 5)]
    together = ranking.Boards(specs)
    reader = pa.RecordBatchReader.from_batches(ITEMS.schema, iter(ITEMS.to_batches(max_chunksize=2)))
    together.push(reader)
    other = ranking.Boards(specs)
    other.push(ITEMS.slice(0, 0))
    together.merge(other)
    results = together.finish()
    assert [skus(result) for result in results] == ["a", "ab", "abc", "abcd"]
    assert [result.report for result in results] == [ranking.build(spec, ITEMS).report for spec in specs]
    assert repr(ranking.Boards(specs[:1])) == "Boards(['top 1'])"
    with pytest.raises(comptoir.ConfigError, match="board `top 1` is given twice"):
        ranking.Boards([specs[0], specs[0]])
    with pytest.raises(comptoir.ConfigError):
        ranking.Boards(specs).merge(ranking.Boards(specs[:2]))


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("size", [1, 3, 100])
def test_many_boards_are_what_each_is_alone(threads, size):
    rows = 120
    table = pa.table(
        {
            "sku": [f"{row * 7 % 40}" for row in range(rows)],
            "country": [("FR", "DE", None)[row % 3] for row in range(rows)],
            "units": [row * 31 % 17 for row in range(rows)],
        }
    )
    hide = {"hide": True}
    term = {"name": "u", "value": "units", "normalise": ["log1p"]}
    specs = [
        {"id": "a", "item": "sku", "score": "units", "k": 5, "eligibility": "units > 2"},
        {
            "id": "b",
            "item": "sku",
            "score": "units",
            "k": 3,
            "group": ["country"],
            "eligibility": "units > 2",
        },
        {"id": "c", "item": "sku", "score": [term], "k": 4, "group": ["country"]},
        {"id": "d", "item": "sku", "score": [{**term, "weight": -2}], "k": 4},
        {"id": "e", "item": "sku", "score": [{**term, "normalise": ["log1p", "z_score"]}], "k": 4},
        {"id": "f", "item": "sku", "score": "sold", "metrics": {"sold": {"sum": "units"}}, "k": 6},
        {
            "id": "g",
            "item": "sku",
            "score": "units",
            "k": 5,
            "interventions": [{"id": "h", "items": ["7"], **hide}],
        },
        {
            "id": "h",
            "item": "sku",
            "score": "units",
            "k": 5,
            "interventions": [{"id": "h", "items": ["2"], **hide}],
        },
    ]
    boards = ranking.Boards(specs)
    batches = table.to_batches(max_chunksize=size)
    boards.push(pa.Table.from_batches(batches), threads=threads)
    for spec, result in zip(specs, boards.finish(), strict=True):
        alone = ranking.build(spec, table, threads=1)
        assert pa.table(result).equals(pa.table(alone))
        assert result.report == alone.report


ROWS = st.lists(st.tuples(st.integers(-3, 9), st.booleans(), st.sampled_from("xyz")), max_size=9)
PINS = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 6), st.integers(-1, 1)), max_size=3)


def as_table(rows):
    columns = {name: [row[place] for row in rows] for place, name in enumerate(("units", "cheap", "brand"))}
    types = {"sku": pa.int64(), "units": pa.int64(), "cheap": pa.bool_(), "brand": pa.string()}
    return pa.table({"sku": list(range(len(rows))), **columns}, schema=pa.schema(list(types.items())))


@settings(max_examples=100, deadline=None)
@given(ROWS, PINS, st.sets(st.integers(0, 8)), st.integers(1, 5), st.integers(1, 3))
def test_pins_stand_and_hides_filter_or_are_reported(rows, pins, hidden, k, threads):
    table = as_table(rows)
    pinned = [pin(str(number), item, place, priority=high) for number, (item, place, high) in enumerate(pins)]
    hide = [{"id": "out", "items": sorted(hidden), "hide": True}] if hidden else []
    spec = {**SPEC, "k": k, "interventions": pinned + hide}
    result = ranking.build(spec, table, threads=threads)
    places = result.table().to_pydict().get("sku", [])
    visible = table.filter(pa.array([sku not in hidden for sku in range(len(rows))], pa.bool_()))
    filtered = ranking.build({**spec, "interventions": pinned}, visible)
    assert places == filtered.table().to_pydict().get("sku", [])
    reported = {one["id"]: one for one in result.report.unpinned}
    # Without candidates there is no board on which a pin could be missed.
    for one in pinned if result.report.candidates else []:
        fault = reported.get(one["id"])
        if fault is None or fault["code"] == "moved_up":
            place = one["pin"] if fault is None else fault["to"]
            assert places[place - 1] == one["items"][0]
    free = [sku for sku in places if all(sku != one["items"][0] for one in pinned)]
    order = sorted(set(range(len(rows))) - hidden, key=lambda sku: (-rows[sku][0], sku))
    assert free == [sku for sku in order if sku in free]
    if not pinned:
        longer = ranking.build({**spec, "k": k + 2}, table).table().to_pydict().get("sku", [])
        assert longer[:k] == places


@settings(max_examples=100, deadline=None)
@given(ROWS, st.integers(1, 6), st.integers(0, 100), st.integers(1, 2))
def test_every_beginning_meets_its_quota_or_is_reported(rows, k, share, most):
    table = as_table(rows)
    constraints = [
        {"id": "cheap", "band": {"when": "cheap", "least_share": f"{share}%"}, "priority": 1},
        {"id": "mix", "window": {"key": "brand", "most": most, "width": 3}},
    ]
    result = ranking.build({**SPEC, "k": k, "constraints": constraints}, table)
    places = result.table().to_pydict().get("sku", [])
    assert len(places) == min(k, len(rows))
    broken = {one["id"]: one["position"] for one in result.report.unmet}
    short = [
        length
        for length in range(1, len(places) + 1)
        if sum(rows[sku][1] for sku in places[:length]) < share * length // 100
    ]
    assert broken.get("cheap") == (short[0] if short else None)
    crowded = [
        end
        for end in range(1, len(places) + 1)
        if sum(rows[sku][2] == rows[places[end - 1]][2] for sku in places[max(end - 3, 0) : end]) > most
    ]
    assert broken.get("mix") == (crowded[0] if crowded else None)


def test_a_report_is_plain_data():
    report = build(pin("deep", "f", 9)).report
    assert json.loads(json.dumps(report.unpinned)) == report.unpinned
