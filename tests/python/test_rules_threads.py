"""Programs, rule sets and handles are shared by threads."""

import threading
import time

import pyarrow as pa
import pytest

from comptoir import rules


def in_threads(count, work):
    failures = []

    def run(number):
        try:
            work(number)
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_threads_share_a_program():
    env = rules.Env(
        {"a": "int", "codes": "list(string)"},
        functions=[rules.function("next", ["int"], "int", lambda a: a + 1)],
    )
    program = env.compile("string(next(a)) in codes")
    table = pa.table({"a": list(range(3000))})

    def work(number):
        for a in range(200):
            assert program.eval(a=a, codes=[str(number)]) is (a + 1 == number)
        selected = program.select(table, codes=[str(number)]).rows.to_pydict()["row"]
        assert selected == ([number - 1] if number else [])

    in_threads(8, work)


def test_a_million_calls_of_eight_threads():
    program = rules.Env({"a": "int"}).compile("a % 3 == 0")

    def work(number):
        assert sum(program.eval(a=a) for a in range(number, number + 125_000)) in (41_666, 41_667)

    in_threads(8, work)


def test_a_handle_takes_nothing_but_a_set():
    rule_set = rules.RuleSet.load(
        {"environment": {"variables": {"a": "int"}}, "rules": [{"id": "r", "when": "a > 1"}]}
    )
    for wrong in (None, "guard.yaml", rules.RuleSetHandle(rule_set)):
        with pytest.raises(TypeError, match="expected a RuleSet, found"):
            rules.RuleSetHandle(wrong)
        with pytest.raises(TypeError, match="expected a RuleSet, found"):
            rules.RuleSetHandle(rule_set).swap(wrong)
        with pytest.raises(TypeError, match="expected a RuleSet, found"):
            rule_set.diff(wrong, pa.table({"a": [1]}))
    handle = rules.RuleSetHandle(rule_set)
    table = pa.table({"a": [1, 2]})
    assert handle.select(table).rows.to_pydict() == {"row": [1]}
    assert pa.table(handle.decide_batch(table))["fired"].to_pylist() == [[], ["r"]]


def test_a_handle_is_swapped_while_others_decide():
    def version(number):
        return rules.RuleSet.load(
            {
                "version": str(number),
                "environment": {"variables": {"a": "int"}},
                "rules": [{"id": "one", "when": "a > 0", "outputs": {"version": str(number)}}],
            }
        )

    sets = [version(number) for number in range(50)]
    handle = rules.RuleSetHandle(sets[0])
    start = threading.Barrier(8)
    seen = set()

    def swap():
        for new in sets[1:]:
            assert handle.swap(new).version == str(int(new.version) - 1)
            # Lets the others run in between.
            time.sleep(0.001)

    def decide():
        last = 0
        while last < 49:
            held = handle.load()
            decision = handle.decide({"a": 1})
            assert decision.outputs == [{"rule": "one", "outputs": {"version": decision.version}}]
            assert last <= int(held.version) <= int(decision.version)
            last = int(decision.version)
            seen.add(last)

    def work(number):
        start.wait()
        if number == 0:
            swap()
        else:
            decide()

    in_threads(8, work)
    assert handle.load().version == "49"
    assert len(seen) > 2
