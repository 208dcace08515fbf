"""One event at a time from Python: a program beside a lambda written by hand, with equal answers.

P1 and P2 are those of crates/comptoir-rules/README.md. Each is timed on the same 1,000 events, the two in turn, and the
best of many passes counts. Prints nanoseconds an event, and the ratio beside its target.
"""

import random
import time

from comptoir import rules

BRANDS = [f"b{number}" for number in range(1, 9)]
WHITELIST = [f"C{number * 3}" for number in range(20)]
PASSES = 200
# A program may take at most so many times the time of its lambda.
TARGET = 1.5

P1 = f"user.level >= 3 && item.brand in {BRANDS} && item.price >= 100.0"
P2 = "order.pay < order.cost * 0.9 && !(order.coupon in whitelist)"
ENV = rules.Env(
    {"user": "User", "item": "Item", "order": "Order", "whitelist": "list(string)"},
    types={
        "User": {"level": "int"},
        "Item": {"brand": "string", "price": "double"},
        "Order": {"pay": "double", "cost": "double", "coupon": "string"},
    },
)


def events(count=1_000, seed=7):
    draw = random.Random(seed)
    for _ in range(count):
        cost = draw.uniform(10, 1_000)
        yield {
            "user": {"level": draw.randrange(10)},
            "item": {"brand": f"b{draw.randrange(16)}", "price": draw.uniform(0, 1_000)},
            "order": {
                "pay": cost * draw.uniform(0.8, 1.1),
                "cost": cost,
                "coupon": f"C{draw.randrange(100)}",
            },
            "whitelist": WHITELIST,
        }


LAMBDAS = {
    "P1": lambda e: e["user"]["level"] >= 3 and e["item"]["brand"] in BRANDS and e["item"]["price"] >= 100.0,
    "P2": lambda e: (
        e["order"]["pay"] < e["order"]["cost"] * 0.9 and e["order"]["coupon"] not in e["whitelist"]
    ),
}


def one_pass(function, sample):
    start = time.perf_counter()
    for event in sample:
        function(event)
    return (time.perf_counter() - start) / len(sample) * 1e9


def main():
    sample = list(events())
    for name, source in (("P1", P1), ("P2", P2)):
        program, by_hand = rules.compile(source, ENV), LAMBDAS[name]
        answers = [program.eval(event) for event in sample]
        assert answers == [by_hand(event) for event in sample], name
        times = [(one_pass(program.eval, sample), one_pass(by_hand, sample)) for _ in range(PASSES)]
        ours, theirs = (min(column) for column in zip(*times, strict=True))
        ratio = ours / theirs
        verdict = "met" if ratio <= TARGET else "missed"
        print(
            f"{name}: program {ours:.0f} ns, lambda {theirs:.0f} ns, ratio {ratio:.2f}, "
            f"target {TARGET} {verdict} ({sum(answers)} of {len(answers)} true)"
        )


if __name__ == "__main__":
    main()
