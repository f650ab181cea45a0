"""Fit the resource models to what Yosys makes, and show the estimate beside the result.

    python benchmarks/calibrate.py                                  # all families: half an hour
    python benchmarks/calibrate.py --family ice40 --models ../shared/models
    python benchmarks/calibrate.py --samples results.json           # synthesise what is new

Units of a designed set, one of each kind in many sizes, and whole networks at several foldings are
synthesised without flattening, so that every unit is a sample: the features of its structure, and
the cells that it takes. For each family and kind of unit, coefficients that are not negative are
fitted to the relative errors. They are written to
`irc/passes/hardware/resource_model/coefficients.json`, which the compiler reads.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from calibration.fitting import fit_kind
from calibration.networks import network_samples
from calibration.results import Results
from calibration.samples import Sample, unit_samples

from irc.passes.hardware.resource_model.coefficients import TABLE
from irc.passes.hardware.resource_model.memories import RULES

Table = dict[str, dict[str, dict[str, float]]]
"""Coefficients by kind, resource and feature."""

RESOURCES = ("luts", "flipflops")

UNRELATED = {
    "luts": {
        *("ram_luts", "rom_outputs", "ram_outputs"),
        *("held_tables", "held_counters", "held_inputs", "product_bits", "staged_bits"),
    },
    "flipflops": {"ram_luts", "rom_cells", "muxed_bits", "compared", "compared_constants", "steps"},
}
"""Features that a resource does not come from, or, `ram_luts`, that are counted as they are."""


def fit(samples: list[Sample]) -> Table:
    """Coefficients of one family."""
    table: Table = {}
    for kind in sorted({sample.kind for sample in samples}):
        of_kind = [sample for sample in samples if sample.kind == kind]
        table[kind] = {
            resource: fit_kind(
                [related(sample.features, resource) for sample in of_kind],
                [sample.target(resource) for sample in of_kind],
            )
            for resource in RESOURCES
        }
    return table


def related(features: Mapping[str, float], resource: str) -> dict[str, float]:
    """The features that a resource may come from."""
    return {name: c for name, c in features.items() if name not in UNRELATED[resource]}


def predicted(table: Table, sample: Sample, resource: str) -> float:
    """The estimate for a sample."""
    weights = table.get(sample.kind, {}).get(resource, {})
    total = sum(weights.get(name, 0) * count for name, count in sample.features.items())
    return total + (sample.features.get("ram_luts", 0) if resource == "luts" else 0)


def report(family: str, table: Table, samples: list[Sample], *, units: bool) -> None:
    """Print networks, their units and the errors."""
    if units:
        for sample in samples:
            shown = [f"{round(predicted(table, sample, r))} / {sample.used[r]}" for r in RESOURCES]
            blocks = f"{sample.blocks:g} / {sample.used['block_rams']:g}"
            mark = "" if sample.blocks == sample.used["block_rams"] else "  BLOCK RAMS DIFFER"
            print(f"  {sample.name:44} {'   '.join(shown)}   {blocks}{mark}")
    errors: list[float] = []
    exact = count = 0
    networks = sorted({sample.network for sample in samples if sample.network})
    for network in networks:
        of_network = [sample for sample in samples if sample.network == network]
        estimate = sum(predicted(table, s, "luts") * s.count for s in of_network)
        actual = sum(s.used["luts"] * s.count for s in of_network)
        flipflops = [
            sum(predicted(table, s, "flipflops") * s.count for s in of_network),
            sum(s.used["flipflops"] * s.count for s in of_network),
        ]
        blocks = sum(s.blocks * s.count for s in of_network)
        used = sum(s.used["block_rams"] * s.count for s in of_network)
        errors.append(estimate / actual - 1)
        exact, count = exact + (blocks == used), count + 1
        print(
            f"{family:6} {network:32} LUTs {estimate:7.0f} / {actual:6} ({errors[-1]:+.1%})  "
            f"FFs {flipflops[0]:7.0f} / {flipflops[1]:6}  block RAMs {blocks:g} / {used:g}"
        )
    if errors:
        sizes = [abs(error) for error in errors]
        print(
            f"{family}: LUTs of {count} networks within {statistics.median(sizes):.1%} in the "
            f"median, {max(sizes):.1%} at worst; block RAMs exact in {exact} of {count}"
        )
    of_units = [s for s in samples if s.used["luts"] >= 50]
    sizes = [abs(predicted(table, s, "luts") / s.used["luts"] - 1) for s in of_units]
    exact = sum(s.blocks == s.used["block_rams"] for s in samples)
    print(
        f"{family}: LUTs of {len(sizes)} units of 50 or more within "
        f"{statistics.median(sizes):.1%} in the median, {max(sizes):.1%} at worst; block RAMs "
        f"exact in {exact} of {len(samples)}"
    )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--family", choices=RULES, action="append", help="(default: all)")
    parser.add_argument("--models", type=Path, help="folder with the trained networks")
    parser.add_argument(
        "--samples",
        type=Path,
        help="file of synthesis results, to which new ones are added: nothing is done twice",
    )
    parser.add_argument("--quick", action="store_true", help="small units only, no networks")
    parser.add_argument(
        "--kind", action="append", help="fit this kind of unit and keep the others (default: all)"
    )
    parser.add_argument("--network", action="append", help="use this network (default: all)")
    parser.add_argument("--units", action="store_true", help="print every unit, too")
    parser.add_argument("--dry", action="store_true", help="do not write the coefficients")
    options = parser.parse_args()
    results = Results(options.samples)
    written = json.loads(TABLE.read_text(encoding="utf-8"))
    for family in options.family or list(RULES):
        samples = unit_samples(family, results, options.kind, quick=options.quick)
        if not options.quick:
            samples += network_samples(family, options.models, results, options.network)
        table: Table = dict(written["families"][family])
        fitted = [sample for sample in samples if not sample.held_out]
        table |= fit([s for s in fitted if not options.kind or s.kind in options.kind])
        report(family, table, samples, units=options.units)
        written["families"][family] = table
    if not options.dry:
        TABLE.write_text(json.dumps(written, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
