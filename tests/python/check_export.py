"""Checks exports of one journal against each other, read with pandas, polars and pyarrow.

    check_export.py DIRECTORY

The directory holds `parquet`, `csv` and `jsonl` (exports of the same journal) and the summaries `parquet.json`, `csv.json`
and `jsonl.json`. Prints what was checked; the first thing found wrong ends it with exit code 1.
"""

import json
import sys
from pathlib import Path

import pandas
import polars
import pyarrow.csv
import pyarrow.parquet

# Columns of exact numbers whose sums must be the same in every format.
MANTISSAS = ("price", "quantity", "fee", "reference_price", "bid_price", "bid_quantity", "ask_price", "ask_quantity")
# Tables that hold inputs: what a decision can be caused by.
NO_INPUTS = ("decision", "run")


def expect(is_so, sentence):
    """Ends the check with a sentence unless all is well."""
    if not is_so:
        print(f"failed: {sentence}", file=sys.stderr)
        sys.exit(1)


def json_rows(path):
    """Rows by table: one per frame, or one per level where a frame has levels."""
    tables = {}
    with path.open() as lines:
        for line in lines:
            frame = json.loads(line)
            for level in frame.get("levels", [{}]):
                tables.setdefault(frame["table"], []).append(frame | level)
    return tables


def check_types(name, table, frame, lazy):
    """Times are UTC in ns, exact numbers are integers, names are texts: for all three readers."""
    for field in table.schema:
        where = f"{name}.{field.name}"
        arrow, other = str(field.type), lazy.schema[field.name]
        if field.name.startswith("ts_"):
            expect(arrow == "timestamp[ns, tz=UTC]", f"{where} is {arrow} for pyarrow")
            kind = str(frame[field.name].dtype)
            expect(kind == "datetime64[ns, UTC]", f"{where} is {kind} for pandas")
            expect(other == polars.Datetime("ns", "UTC"), f"{where} is {other} for polars")
        elif field.name in MANTISSAS or field.name.endswith(("_id", "sequence")) and field.name != "hub_id":
            expect(arrow == "int64", f"{where} is {arrow} for pyarrow")
            expect(other == polars.Int64, f"{where} is {other} for polars")
        elif field.name.endswith("_f64"):
            expect(arrow == "double", f"{where} is {arrow} for pyarrow")
            expect(other == polars.Float64, f"{where} is {other} for polars")
        elif field.name in ("symbol", "venue", "kind", "side"):
            expect(arrow == "string", f"{where} is {arrow} for pyarrow")
            expect(other == polars.String, f"{where} is {other} for polars")


def exact_sum(values):
    """The sum as Python makes it: without a bound, without rounding."""
    return sum(value for value in values if value is not None)


def check_table(work, name, rows, lines):
    """One table in three formats; returns its sequences and, for decisions, their causes."""
    path = work / "parquet" / f"{name}.parquet"
    table = pyarrow.parquet.read_table(path)
    frame = pandas.read_parquet(path)
    lazy = polars.read_parquet(path)
    check_types(name, table, frame, lazy)
    kinds = {field.name: "int64" if field.name.startswith("ts_") else field.type for field in table.schema}
    options = pyarrow.csv.ConvertOptions(column_types=kinds, strings_can_be_null=True)
    parsing = pyarrow.csv.ParseOptions(newlines_in_values=True)
    comma = pyarrow.csv.read_csv(work / "csv" / f"{name}.csv", parse_options=parsing, convert_options=options)
    expect(comma.schema.names == table.schema.names, f"{name}: CSV has the columns {comma.schema.names}")
    counts = {"parquet": table.num_rows, "pandas": len(frame), "polars": lazy.height, "csv": comma.num_rows}
    counts["jsonl"] = len(lines)
    for reader, count in counts.items():
        expect(count == rows, f"{name}: {reader} has {count} rows, the summary says {rows}")
    sequences = table["sequence"].to_pylist()
    expect(sequences == sorted(sequences), f"{name}: sequences go down")
    sums = 0
    for column in (column for column in MANTISSAS if column in table.schema.names):
        one = exact_sum(table[column].to_pylist())
        two = exact_sum(comma[column].to_pylist())
        three = exact_sum(line[column] for line in lines)
        expect(one == two == three, f"{name}.{column}: sums are {one}, {two} and {three}")
        sums += 1
    for column in (column for column in table.schema.names if column.startswith("ts_")):
        one = table[column].cast("int64").to_pylist()
        expect(one == comma[column].to_pylist(), f"{name}.{column}: CSV has other times")
        expect(one == [line[column] for line in lines], f"{name}.{column}: JSON lines have other times")
    print(f"{name}: {rows} rows, {len(table.schema)} columns, {sums} sums equal in all formats")
    return sequences, table["cause"].to_pylist() if name == "decision" else []


def main(work):
    """All tables, then what holds between them."""
    summaries = {kind: json.loads((work / f"{kind}.json").read_text()) for kind in ("parquet", "csv", "jsonl")}
    rows = summaries["parquet"]["rows"]
    for kind, summary in summaries.items():
        expect(summary["rows"] == rows, f"the summary of {kind} counts other rows than that of parquet")
        size = sum(path.stat().st_size for path in (work / kind).iterdir())
        expect(summary["bytes"] == size, f"{kind} has {size} bytes, the summary says {summary['bytes']}")
    lines = json_rows(work / "jsonl" / "frames.jsonl")
    inputs, causes = set(), []
    for name, count in rows.items():
        sequences, found = check_table(work, name, count, lines.get(name, []))
        if name not in NO_INPUTS:
            inputs.update(sequences)
        causes += found
    for name in ("book_delta", "order_filled", "decision", "run"):
        expect(rows[name] > 0, f"the journal has no {name}, so this checked nothing")
    missing = [cause for cause in causes if cause not in inputs]
    expect(not missing, f"{len(missing)} decisions have no input as their cause, the first {missing[:1]}")
    print(f"decisions: each of {len(causes)} has its cause among {len(inputs)} inputs")
    print(f"read with pandas {pandas.__version__}, polars {polars.__version__}, pyarrow {pyarrow.__version__}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        print(f"usage: {sys.argv[0]} DIRECTORY", file=sys.stderr)
        sys.exit(2)
    main(Path(sys.argv[1]))
