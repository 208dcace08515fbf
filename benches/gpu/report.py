"""Results as Markdown."""


def markdown(results):
    """Give a page: the machine, then each part, with what failed."""
    lines = ["# On a GPU", "", "Written by `benches/gpu/run.py`.", ""]
    lines += [f"- {name}: {value}" for name, value in results["machine"].items()]
    for name, found in results["parts"].items():
        lines += ["", f"## {name}", ""]
        rows = found.get("rows")
        if rows:
            lines += table(rows)
            lines.append("")
        lines += [f"- {key}: {shown(value)}" for key, value in found.items() if key != "rows"]
    for failure in results["failed"]:
        lines += ["", f"## {failure['part']}: FAILED", "", "```", failure["error"].rstrip(), "```"]
    return "\n".join(lines) + "\n"


def table(rows):
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    yield f"| | {' | '.join(columns)} |"
    yield f"|---|{'---:|' * len(columns)}"
    for name, row in rows.items():
        yield f"| {name} | {' | '.join(shown(row.get(column)) for column in columns)} |"


def shown(value):
    if value is None:
        return ""
    return (
        f"{value:,.3g}"
        if isinstance(value, float) and abs(value) < 100
        else f"{value:,.0f}"
        if isinstance(value, (int, float))
        else str(value)
    )
