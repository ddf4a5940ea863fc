"""What was measured, as it is kept (a JSON file for each workload) and as it is shown (Markdown).

Every row that is shown comes out of such a file, and every file out of a run.
"""

import json
import pathlib
import statistics

from . import chart

MARK = ("<!-- made by bench/run: from here -->", "<!-- made by bench/run: to here -->")


class Result:
    """Of one workload: `rows` of {"name", "label", "version", "rounds": [figures], "refused": reason or ""}."""

    def __init__(self, content):
        self.content = content

    def __getattr__(self, name):
        return self.content[name]

    @classmethod
    def read(cls, file):
        return cls(json.loads(file.read_text()))

    def write(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{self.key}.json").write_text(json.dumps(self.content, indent=1) + "\n")
        (folder / f"{self.key}.svg").write_text(chart.draw(self))

    @property
    def measured(self):
        return [row for row in self.rows if not row["refused"]]

    def unit(self):
        return "KiB" if self.measures == "memory_bytes" else "µs"

    def values(self, row, what):
        scale = 1 / 1024 if what == "memory_bytes" else 1
        found = [figures.get(what) for figures in row["rounds"]]
        return [value * scale for value in found if value is not None]

    def median(self, row, what):
        values = self.values(row, what)
        return statistics.median(values) if values else None

    def per_s(self, row):
        return statistics.median(figures["operations"] / figures["seconds"] for figures in row["rounds"])

    def ratio(self, row):
        """Of the hub to it, round by round, the median."""
        pairs = zip(self.values(self.rows[0], self.measures), self.values(row, self.measures))
        return statistics.median(ours / theirs for ours, theirs in pairs)


def ordered(folder, order):
    found = [Result.read(folder / f"{key}.json") for key in order if (folder / f"{key}.json").exists()]
    return found


def digits(value):
    if value is None:
        return "–"
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def table(result):
    memory = result.measures == "memory_bytes"
    cost = "KiB per connection" if memory else f"CPU µs per {result.operation}"
    lines = [
        f"| | {cost} | least … most | Carillon to it | per second | p50 ms | p99 ms |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in result.rows:
        if row["refused"]:
            lines.append(f"| {row['label']} | not compared: {row['refused']} | | | | | |")
            continue
        values = result.values(row, result.measures)
        ours = row is result.rows[0]
        lines.append(
            f"| {'**' if ours else ''}{row['label']}{'**' if ours else ''} "
            f"| {digits(result.median(row, result.measures))} | {digits(min(values))} … {digits(max(values))} "
            f"| {'' if ours else f'{result.ratio(row):.2f}'} "
            f"| {'–' if memory else f'{result.per_s(row):,.0f}'} "
            f"| {digits(result.median(row, 'p50_ms') or None)} | {digits(result.median(row, 'p99_ms') or None)} |"
        )
    return "\n".join(lines)


def alternative(result):
    """What the chart says, for who does not see it."""
    said = ", ".join(f"{row['label']} {digits(result.median(row, result.measures))}" for row in result.measured)
    what = "KiB" if result.measures == "memory_bytes" else "µs of server CPU"
    return f"{what} per {result.operation}: {said}"


def stamp(result):
    return f"by `{result.command}`, product at commit {result.commit}, on: {result.machine}."


def rounds(result):
    count = len(result.rows[0]["rounds"])
    return f"{count} round{'s' if count > 1 else ''}"


def report(results):
    """bench/results/README.md."""
    parts = [
        "# Measured",
        "Made by `bench/run` and not edited by hand; each table comes from the JSON file beside it.",
        "All servers of a table had the same work from the same program on the same machine, by turns, round by "
        "round. Runs whose generator counted different work (number of operations, connections, size of messages, "
        "failures) are not compared. CPU is that of the server's processes alone, from the scheduler's books; a "
        "number is the median of the rounds, and *Carillon to it* the median of the ratio within a round, where less "
        "than 1 means that Carillon takes less. Compare ratios: times are this machine's. Where *How* says nothing "
        "else, latencies are of the run that CPU is of.",
        "None of the peers checks keys or ownership, or stores anything, except SQLite.",
    ]
    for result in results:
        versions = "; ".join(row["version"] for row in result.rows if row["version"])
        parts += [f"## {result.title}", f"![{alternative(result)}]({result.key}.svg)", table(result)]
        parts.append(f"*How*: {result.how}")
        parts.append("*Same*: " + same(result) + (f" *Peers*: {versions}." if versions else ""))
        if result.missing:
            parts.append("*Not measured*: " + "; ".join(result.missing) + ".")
        parts.append(f"Measured {result.date} in {rounds(result)} {stamp(result)}")
    return "\n\n".join(parts) + "\n"


def same(result):
    figures = result.rows[0]["rounds"][0]
    words = [f"{figures['operations']:,.0f} operations a round", f"{figures['connections']:,.0f} connections"]
    if figures.get("received_bytes"):
        words.append(f"{figures['received_bytes']:,.0f} bytes in a message")
    return ", ".join(words) + "."


def overview(results):
    """The part of the project's README between the marks."""
    lines = ["| | Carillon | beside it, by the same measure |", "| --- | ---: | --- |"]
    for result in results:
        ours, *others = result.measured
        unit = "KiB" if result.measures == "memory_bytes" else "µs"
        beside = ", ".join(
            f"{row['label']} {digits(result.median(row, result.measures))}" for row in others
        )
        lines.append(f"| {result.title} | {digits(result.median(ours, result.measures))} {unit} | {beside} |")
    pictures = "\n".join(
        f'<img src="bench/results/{result.key}.svg" width="49%" alt="{result.title}. {alternative(result)}">'
        for result in results
    )
    measured = {}
    for result in results:
        measured.setdefault((result.date.split()[0], stamp(result)), []).append(result.key)
    stamps = [
        f"Measured {day} {what}" + (f" ({', '.join(keys)})" if len(measured) > 1 else "")
        for (day, what), keys in measured.items()
    ]
    return "\n\n".join(["\n".join(lines), pictures, *stamps])


def put_into(readme, results):
    before, rest = readme.split(MARK[0])
    after = rest.split(MARK[1])[1]
    return f"{before}{MARK[0]}\n\n{overview(results)}\n\n{MARK[1]}{after}"


def show(folder, order, readme=None):
    """Makes everything that is shown anew from what is kept."""
    results = ordered(folder, order)
    for result in results:
        (folder / f"{result.key}.svg").write_text(chart.draw(result))
    (folder / "README.md").write_text(report(results))
    if readme is not None:
        readme = pathlib.Path(readme)
        readme.write_text(put_into(readme.read_text(), results))
