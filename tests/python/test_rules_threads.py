"""Programs, rule sets and handles are shared by threads."""

import threading

import pyarrow as pa

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


def test_a_handle_is_swapped_while_others_decide():
    def version(number):
        return rules.RuleSet.load(
            {
                "version": str(number),
                "environment": {"variables": {"a": "int"}},
                "rules": [{"id": "one", "when": "a > 0", "outputs": {"version": str(number)}}],
            }
        )

    handle = rules.RuleSetHandle(version(0))
    done = threading.Event()
    seen = []

    def work(number):
        if number == 0:
            for new in range(1, 50):
                before = handle.swap(version(new))
                assert before.version == str(new - 1)
            done.set()
            return
        last = 0
        while not done.is_set():
            held = handle.load()
            decision = handle.decide({"a": 1})
            assert decision.outputs == [{"rule": "one", "outputs": {"version": decision.version}}]
            assert last <= int(held.version) <= int(decision.version)
            last = int(decision.version)
            seen.append(last)

    in_threads(8, work)
    assert handle.load().version == "49"
    assert seen
