"""A chart of a workload: what each server took, and beside it how soon it was done. Readable on light and on dark."""

from xml.sax.saxutils import escape

WIDTH = 760
LABEL_WIDTH = 150
COST_WIDTH = 300
GAP = 60
LATENCY_WIDTH = WIDTH - LABEL_WIDTH - COST_WIDTH - GAP - 30
TOP = 64
ROW = 34
BAR = 16
BOTTOM = 46

STYLE = """
text { font: 12px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; fill: #24292f; }
.title { font-size: 15px; font-weight: 600; }
.small { font-size: 11px; fill: #57606a; }
.grid { stroke: #d0d7de; stroke-width: 1; }
.ours { fill: #0969da; }
.theirs { fill: #8c959f; }
.range { stroke: #24292f; stroke-width: 1.2; }
.span { stroke-width: 3; }
.span.ours { stroke: #0969da; }
.span.theirs { stroke: #8c959f; }
.back { fill: #ffffff; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .small { fill: #9198a1; }
  .grid { stroke: #3d444d; }
  .ours { fill: #4493f8; }
  .theirs { fill: #767e88; }
  .range { stroke: #e6edf3; }
  .span.ours { stroke: #4493f8; }
  .span.theirs { stroke: #767e88; }
  .back { fill: #0d1117; }
}
""".strip()


def ceiling(value):
    """The end of an axis, and the step between its lines."""
    step = 10.0 ** -6
    while True:
        for factor in (1, 2, 2.5, 5):
            if value <= 5 * step * factor:
                step *= factor
                lines = 1
                while lines * step < value:
                    lines += 1
                return lines * step, step
        step *= 10


def number(value):
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


class Axis:
    def __init__(self, left, width, most):
        self.left = left
        self.end, self.step = ceiling(most)
        self.width = width

    def x(self, value):
        return self.left + self.width * value / self.end

    def draw(self, height, label):
        bottom = height - BOTTOM
        drawn = []
        for i in range(round(self.end / self.step) + 1):
            x = self.x(i * self.step)
            drawn.append(f'<line class="grid" x1="{x:.1f}" y1="{TOP - 8}" x2="{x:.1f}" y2="{bottom}"/>')
            drawn.append(small(x, bottom + 14, f"{i * self.step:g}"))
        drawn.append(small(self.left + self.width / 2, bottom + 32, label))
        return drawn


def small(x, y, text, anchor="middle"):
    return f'<text class="small" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def line(kind, x1, x2, y):
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y:.1f}" x2="{x2:.1f}" y2="{y:.1f}"/>'


def draw(result):
    rows = result.measured
    height = TOP + ROW * len(rows) + BOTTOM
    memory = result.measures == "memory_bytes"
    latencies = {row["name"]: (result.median(row, "p50_ms"), result.median(row, "p99_ms")) for row in rows}
    timed = [p99 for _, p99 in latencies.values() if p99]
    cost_width = COST_WIDTH if timed else WIDTH - LABEL_WIDTH - 90
    values = {row["name"]: result.values(row, result.measures) for row in rows}
    cost = Axis(LABEL_WIDTH, cost_width, max(max(of_row) for of_row in values.values()))
    label = "KiB of memory per idle connection" if memory else f"µs of server CPU per {result.operation}"
    drawn = cost.draw(height, label + ", less is better")
    if timed:
        latency = Axis(LABEL_WIDTH + COST_WIDTH + GAP, LATENCY_WIDTH, max(timed))
        drawn += latency.draw(height, "latency in ms: p50 to p99")
    for i, row in enumerate(rows):
        middle = TOP + ROW * i + ROW / 2
        kind = "ours" if i == 0 else "theirs"
        median = result.median(row, result.measures)
        least, most = min(values[row["name"]]), max(values[row["name"]])
        drawn.append(f'<text x="{LABEL_WIDTH - 8}" y="{middle + 4:.1f}" text-anchor="end">{escape(row["label"])}</text>')
        drawn.append(
            f'<rect class="{kind}" x="{LABEL_WIDTH}" y="{middle - BAR / 2:.1f}" '
            f'width="{cost.x(median) - LABEL_WIDTH:.1f}" height="{BAR}" rx="2"/>'
        )
        drawn.append(line("range", cost.x(least), cost.x(most), middle))
        drawn.append(f'<text x="{cost.x(max(median, most)) + 5:.1f}" y="{middle + 4:.1f}">{number(median)}</text>')
        p50, p99 = latencies[row["name"]]
        if p99:
            drawn.append(line(f"span {kind}", latency.x(p50), latency.x(p99), middle))
            drawn += [
                f'<circle class="{kind}" cx="{latency.x(value):.1f}" cy="{middle:.1f}" r="4.5"/>' for value in (p50, p99)
            ]
            drawn.append(small(latency.x(p50), middle - 8, f"{number(p50)} – {number(p99)}", anchor="start"))
    rounds = len(rows[0]["rounds"])
    note = f"median of {rounds} rounds; the line is from the least to the most of them" if rounds > 1 else "one round"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
            f'viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(result.title)}">',
            f"<style>\n{STYLE}\n</style>",
            f'<rect class="back" width="{WIDTH}" height="{height}"/>',
            f'<text class="title" x="12" y="24">{escape(result.title)}</text>',
            f'<text class="small" x="12" y="42">{escape(note)}</text>',
            *drawn,
            "</svg>",
            "",
        ]
    )
