"""Tables of what was measured."""

import json
from statistics import median

from harness.environment import BENCH

RESULTS, JSON, ROOFLINE = (BENCH / n for n in ("RESULTS.md", "results.json", "ROOFLINE.md"))
SERVICE_JSON = BENCH / "load.json"
YES_NO = {True: "yes", False: "**no**", None: "–"}
NOTES = BENCH / "notes.md"


def stored():
    """The results of earlier runs."""
    return json.loads(JSON.read_text()) if JSON.is_file() else {"rows": {}, "roofline": None}


def stored_service():
    """The results of earlier runs of `bench/load/run`."""
    return json.loads(SERVICE_JSON.read_text()) if SERVICE_JSON.is_file() else {}


def notes(part):
    """The sections of one part of the notes, which are written by hand, by their headings."""
    found, section, wanted = {}, None, False
    for line in NOTES.read_text().splitlines():
        if line.startswith("# "):
            wanted, section = line[2:].strip() == part, None
        elif line.startswith("## "):
            section = line[3:].strip()
        elif wanted and section:
            found[section] = found.get(section, "") + line + "\n"
    return {name: text.strip() for name, text in found.items()}


def quantity(value, unit):
    """A figure with a unit of a fitting size."""
    base, _, rest = unit.partition(" ")
    rest = f" {rest}" if rest else ""
    if base == "s":
        for factor, name in ((1, "s"), (1e3, "ms"), (1e6, "µs")):
            if value * factor >= 1:
                return f"{digits(value * factor)} {name}{rest}"
        return f"{digits(value * 1e9)} ns{rest}"
    if unit == "bytes":
        return f"{digits(value / 2**20)} MiB"
    return f"{digits(value)} {unit}"


def digits(value):
    """Three digits."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def alone(row, value):
    """A figure that stands for itself."""
    base = row["unit"].split()[0]
    return quantity(value, base) if base == "s" else f"{digits(value)} {base}"


def ratio(row, value):
    """A ratio, or the figure itself where there is no other side."""
    if row["other"] is None:
        return alone(row, value)
    return times(value)


def table(rows):
    """The rows as Markdown."""
    lines = [
        "| row | what | against | ours | theirs | target | ratio | min – max | reached |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        other = "–" if row["other"] is None else quantity(median(row["other"]), row["unit"])
        sign = "≥" if row["at_least"] else "≤"
        if row["target"] is None:
            target = "–"
        elif row["other"] is None:
            target = f"{sign} {alone(row, row['target'])}"
        else:
            target = f"{sign} {row['target']}×"
        span = f"{ratio(row, row['ratio_min'])} – {ratio(row, row['ratio_max'])}"
        cells = [
            row["name"], row["what"], row["against"], quantity(median(row["ours"]), row["unit"]),
            other, target, f"**{ratio(row, row['ratio'])}**", span,
            YES_NO[row["reached"]],
        ]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def machine(facts):
    """The machine and the versions as Markdown."""
    packages = "".join(f", {name} {version}" for name, version in facts["packages"].items())
    return "\n".join(
        [
            f"* {facts['date']}, commit {facts['commit']}",
            f"* {facts['cpu']}, {facts['cores']} cores, {facts['caches']}, "
            f"{facts['memory_gb']} GiB; Linux {facts['kernel']}; "
            f"load at the start {facts['load_at_start']:.2f}",
            f"* {facts['rustc']}; g++ {facts['g++']}; "
            f"Python {facts['python']}{packages.replace(',', ';', 1)}",
        ]
    )


def results(all_results, order):
    """RESULTS.md."""
    rows = [all_results["rows"][name] for name in order if name in all_results["rows"]]
    reasons = notes("Not reached, and why")
    parts = [
        "# Measured side by side",
        "Written by `bench/run`; every figure is a median of alternating runs of both sides on the "
        "same cores, every ratio the median of the ratios of neighbouring runs. A ratio with ≥ says "
        "how many times less time (or memory) Slugline takes, one with ≤ how much more the harder "
        "case costs. Wrong answers stop the run: losses, accuracies and counts of lines are checked "
        "on both sides. The figures run by run are in `results.json`.",
        table(rows),
    ]
    missed = [row for row in rows if row["reached"] is False]
    parts.append("## Not reached, and why")
    if not missed:
        parts.append("Every target above is reached.")
    for row in missed:
        reason = reasons.get(row["name"], "Not explained yet.")
        parts.append(f"**{row['name']}**: {reason}")
    parts.append("## How each row is measured")
    parts += [f"**{row['name']}** ({len(row['ours'])} runs). {row['notes']}" for row in rows]
    parts.append("## Machine and versions")
    by_run = {}
    for row in rows:
        by_run.setdefault(json.dumps(row["facts"], sort_keys=True), []).append(row["name"])
    for facts, names in by_run.items():
        if len(by_run) > 1:
            parts.append(f"For {', '.join(names)}:")
        parts.append(machine(json.loads(facts)))
    if found := stored_service():
        parts += ["## Service", *service(found)]
    RESULTS.write_text("\n\n".join(parts) + "\n")


def service(found):
    """What `bench/load/run` measured, as parts of a page."""
    parts = []
    if measured := found.get("load"):
        rows = measured["rows"]
        parts += [
            "`slugline serve` with its defaults beside FastAPI with fastText (uvicorn, uvloop, httptools, "
            "orjson, two workers), both on all cores of the machine and together with the program that "
            "sends, in turn; medians. A status other than 200 or a broken connection stops the run, and "
            "the answers are checked. `bench/load/run` writes this, run by run in `load.json`.",
            service_table(rows),
        ]
        missed = [row for row in rows if False in (row["reached"], row["ratio_reached"])]
        reasons = notes("Not reached, and why")
        parts += [
            f"**{row['name']}**, not reached: {reasons.get(row['name'], 'Not explained yet.')}"
            for row in missed
        ]
        parts += [f"**{row['name']}** ({len(row['ours'])} runs). {row['notes']}" for row in rows]
        parts.append(machine(measured["facts"]))
    if soak := found.get("soak"):
        parts += [f"**soak** ({soak['seconds']} s). {soak['told']}", machine(soak["facts"])]
    return parts


def service_table(rows):
    """The rows of the service as Markdown."""
    lines = [
        "| row | what | ours | min – max | target | reached | theirs | ratio | min – max | target "
        "| reached |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        unit = row["unit"]
        sign = "≤" if unit == "s" else "≥"
        target, wanted = row["target"], row["ratio_target"]
        cells = [
            row["name"], row["what"], f"**{rate(median(row['ours']), unit)}**",
            f"{rate(min(row['ours']), unit)} – {rate(max(row['ours']), unit)}",
            f"{sign} {rate(target, unit)}" if target else "–", YES_NO[row["reached"]],
            rate(median(row["theirs"]), unit), f"**{times(row['ratio'])}**",
            f"{times(row['ratio_min'])} – {times(row['ratio_max'])}",
            f"≥ {wanted}×" if wanted else "–", YES_NO[row["ratio_reached"]],
        ]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def rate(value, unit):
    """A time, or a whole number of things a second."""
    return quantity(value, unit) if unit == "s" else f"{value:,.0f} {unit}"


def times(value):
    """A ratio."""
    return f"{value:.1f}×" if value >= 20 else f"{value:.2f}×"


def roofline(measured, facts):
    """ROOFLINE.md."""
    parts = [
        "# How far from the machine's limit",
        "Written by `bench/run`. The peaks are measured here and now: chains of fused multiply-adds "
        "and of additions on 32-bit floats, and sums over arrays that fit the caches or do not. A "
        "part's bound is the longest of three times: what its arithmetic needs at those peaks, what "
        "all its bytes need from the first cache, and what the bytes that must come from further "
        "away need from there. The three overlap.",
        "## Peaks",
        "| threads | multiply-adds | additions | L1 | L2 | L3 | memory |\n|---|---|---|---|---|---|---|",
    ]
    for m in measured:
        rates = " | ".join(f"{m[k] / 1e9:.0f} GB/s" for k in ("l1", "l2", "l3", "memory"))
        parts[-1] += (
            f"\n| {m['threads']} | {m['flops'] / 1e9:.0f} GFLOP/s | {m['additions'] / 1e9:.0f} "
            f"G/s | {rates} |"
        )
    first = measured[0]
    parts += [
        "## Parts",
        f"Per sample of the published example ({first['non_zeros_a_sample']:.1f} non-zeros, batches "
        f"of 512 that touch {first['features_a_step']:,.0f} features), per row or per newswire; "
        f"kernels: {first['cpu']}. With n non-zeros a sample, d features a batch of b and c = 46 "
        "classes:\n\n"
        "* the sparse layer does 2·64·n additions and reads 2·64·4·n bytes (rows of weights forward, "
        "rows of gradients back), and for RMSprop reads and writes 4·64·4·d/b bytes; 5·64·4·d/b bytes "
        "(weights forward; weights and mean squares read and written) lie in the third cache, since "
        "the two tables have 5 MB;\n"
        "* the dense layers do 3·2·(64·64 + 64·c) operations in multiply-adds (forward, gradient of "
        "the weights, gradient of the input);\n"
        "* RMSprop counts as 8 operations a weight touched;\n"
        "* text is read once.",
        "| part | threads | measured | multiply-adds | additions | bytes | from afar | bound | "
        "of the bound |\n|---|---|---|---|---|---|---|---|---|",
    ]
    for m in measured:
        for part in m["parts"]:
            parts[-1] += (
                f"\n| {part['name']} | {m['threads']} | {quantity(part['seconds'], 's')} | "
                f"{part['flops'] / 1e3:.1f} kFLOP | {part['additions'] / 1e3:.1f} k | "
                f"{part['bytes'] / 1e3:.1f} kB | {part['far_bytes'] / 1e3:.1f} kB, {part['level']} | "
                f"{quantity(part['bound_seconds'], 's')} | {100 * part['fraction']:.0f} % |"
            )
    parts += [
        "## Kernels",
        "One run of each on a batch of 512 samples of the published example, on one thread, again and "
        "again, so that what fits a cache is there; bounds as above, the tables of the sparse layer in "
        "the third cache. Each has first given the bits of its portable form. The same list under "
        "divan: `cargo bench -p slugline-bench --bench kernels`.",
        "| kernel | shape | measured | multiply-adds | other operations | bytes | from afar | bound | "
        "of the bound |\n|---|---|---|---|---|---|---|---|---|",
    ]
    for kernel in first["kernels"]:
        parts[-1] += (
            f"\n| {kernel['name']} | {kernel['shape']} | {quantity(kernel['seconds'], 's')} | "
            f"{kernel['flops'] / 1e3:,.0f} kFLOP | {kernel['additions'] / 1e3:,.0f} k | "
            f"{kernel['bytes'] / 1e3:,.0f} kB | {kernel['table_bytes'] / 1e3:,.0f} kB | "
            f"{quantity(kernel['bound_seconds'], 's')} | {100 * kernel['fraction']:.0f} % |"
        )
    parts.append("## What is in the way")
    parts += [f"**{name}.** {text}" for name, text in notes("What is in the way").items()]
    parts += ["## Machine and versions", machine(facts)]
    ROOFLINE.write_text("\n\n".join(parts) + "\n")
