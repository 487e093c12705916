#!/usr/bin/python3
"""Prints a run of ./dev bench --json as Markdown tables: one for each part and size, the machine
first. Usage: results.py FILE"""

import itertools
import json
import sys

SIZES = ((1 << 20, "MiB"), (1 << 10, "KiB"))
RATES = ("path", "durability", "msg/s", "MB/s", "ratio [range]", "CPU us/msg: producer", "broker", "consumer",
         "broker's peak MiB")
TIMES = ("path", "durability", "p50 us", "p99 us", "p99.9 us", "ratio of p50 [range]")


def size_word(size):
    for unit, name in SIZES:
        if size >= unit and size % unit == 0:
            return f"{size // unit} {name}"
    return f"{size} B"


def figure(value):
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def ratio(row):
    median = row.get("ratio_to_proxy", row.get("ratio_to_base"))
    return f"{figure(median)} [{figure(row['ratio_least'])} - {figure(row['ratio_most'])}]"


def cells(row):
    words = [row["path"], row["durability"]]
    if row["ratio_of"] == "p50_us":
        return words + [figure(row[name]) for name in ("p50_us", "p99_us", "p999_us")] + [ratio(row)]
    scaled = [row["messages_per_s"], (row["bytes_per_s"] or 0) / 1e6 or None]
    cpu = [row["producer_cpu_us"], row["broker_cpu_us"], row["consumer_cpu_us"],
           (row["broker_peak_bytes"] or 0) / (1 << 20) or None]
    return words + [figure(value) for value in scaled] + [ratio(row)] + [figure(value) for value in cpu]


def table(rows):
    head = TIMES if rows[0]["ratio_of"] == "p50_us" else RATES
    lines = [head, ["---"] * len(head), *map(cells, rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        rows = json.load(file)
    print(f"{rows[0]['machine']}; {rows[0]['rounds']} rounds.")
    for (part, size), some in itertools.groupby(rows, key=lambda row: (row["part"], row["size"])):
        print(f"\n### {part}, {size_word(size)}\n\n{table(list(some))}")


if __name__ == "__main__":
    main()
