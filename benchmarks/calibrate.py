"""Fit the resource models to what Yosys makes, and show the estimate beside the result.

    python benchmarks/calibrate.py --models ../shared/models        # all families: over an hour
    python benchmarks/calibrate.py --family ice40 --units
    python benchmarks/calibrate.py --samples results.json           # synthesise what is new

Units of a designed set, one of each kind in many sizes, and whole networks at several foldings are
synthesised without flattening, as `irc synth` does, so that every unit is a sample: the look-up
tables that its structure comes to, part by part, and those that it takes. For each family, a
coefficient for each part, not negative and 1 where nothing speaks against it, is fitted to the
relative errors. They are written to
`irc/passes/hardware/resource_model/coefficients.json`, which the compiler reads.

Half of the networks, by a hash of their names, are held out: no coefficient is fitted to them.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from calibration.fitting import fit
from calibration.networks import network_samples
from calibration.results import Results
from calibration.samples import Sample, unit_samples

from irc.passes.hardware.resource_model.coefficients import TABLE, weighted
from irc.passes.hardware.resource_model.memories import RULES

Table = dict[str, dict[str, float]]
"""Coefficients by resource and part."""

RESOURCES = ("luts", "flipflops")

FITTED = ("ice40", "ecp5", "xc7")
"""Families that are synthesised; `UNCALIBRATED` ones use the coefficients of another."""

SMALL = 50
"""Look-up tables of units whose relative errors tell little."""


def fitted(samples: Sequence[Sample]) -> Table:
    """Coefficients of one family."""
    return {
        resource: fit([s.counts(resource) for s in samples], [s.target(resource) for s in samples])
        for resource in RESOURCES
    }


def predicted(table: Table, sample: Sample, resource: str) -> float:
    """The estimate for a sample."""
    known = sample.parts.ram_luts if resource == "luts" else 0
    return known + weighted(table[resource], sample.counts(resource))


def report_units(table: Table, samples: Sequence[Sample]) -> None:
    """Print a line for every unit, and what its parts come to."""
    for sample in samples:
        luts, flipflops = (predicted(table, sample, resource) for resource in RESOURCES)
        used, blocks = sample.used, sample.parts.block_rams
        mark = "" if blocks == used.block_rams else "  BLOCK RAMS DIFFER"
        parts = " ".join(f"{name} {count:.0f}" for name, count in sample.parts.luts.items())
        print(
            f"  {sample.name:56} {luts:6.0f} / {used.luts:5}  {flipflops:5.0f} / "
            f"{used.flipflops:5}  {blocks:g} / {used.block_rams:g}{mark}  "
            f"RAM {sample.parts.ram_luts} {parts}"
        )


def report_networks(family: str, table: Table, samples: Sequence[Sample]) -> None:
    """Print a line for every network, and the errors of those that were fitted and held out."""
    errors: dict[bool, list[float]] = {False: [], True: []}
    exact: dict[bool, int] = {False: 0, True: 0}
    for name in dict.fromkeys(sample.network for sample in samples if sample.network):
        of_network = [sample for sample in samples if sample.network == name]
        held_out = of_network[0].held_out
        luts, flipflops = (
            sum(predicted(table, s, resource) * s.count for s in of_network)
            for resource in RESOURCES
        )
        used = [
            sum(getattr(s.used, what) * s.count for s in of_network)
            for what in ("luts", "flipflops", "block_rams")
        ]
        blocks = sum(s.parts.block_rams * s.count for s in of_network)
        errors[held_out].append(luts / used[0] - 1)
        exact[held_out] += blocks == used[2]
        print(
            f"{family:6} {name:40} {'held out' if held_out else 'fitted':8} LUTs {luts:6.0f} / "
            f"{used[0]:6} ({errors[held_out][-1]:+6.1%})  flip-flops {flipflops:6.0f} / "
            f"{used[1]:6}  block RAMs {blocks:g} / {used[2]:g}"
            f"{'' if blocks == used[2] else '  DIFFER'}"
        )
    for held_out, found in errors.items():
        if found:
            sizes = [abs(error) for error in found]
            what = "networks held out" if held_out else "networks fitted"
            print(
                f"{family}: LUTs of {len(found)} {what} within {statistics.median(sizes):.1%} in "
                f"the median, {max(sizes):.1%} at worst; block RAMs exact in {exact[held_out]}"
            )


def report_fit(family: str, table: Table, samples: Sequence[Sample]) -> None:
    """Print the errors of units."""
    sizes = [
        abs(predicted(table, s, "luts") / s.used.luts - 1) for s in samples if s.used.luts >= SMALL
    ]
    exact = sum(s.parts.block_rams == s.used.block_rams for s in samples)
    print(
        f"{family}: LUTs of {len(sizes)} units of {SMALL} or more within "
        f"{statistics.median(sizes):.1%} in the median, {max(sizes):.1%} at worst; block RAMs "
        f"exact in {exact} of {len(samples)}"
    )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--family",
        choices=[f for f in RULES if f in FITTED],
        action="append",
        help="(default: all)",
    )
    parser.add_argument("--models", type=Path, help="folder with the trained networks")
    parser.add_argument(
        "--samples",
        type=Path,
        help="file of synthesis results, to which new ones are added: nothing is done twice",
    )
    parser.add_argument("--quick", action="store_true", help="small units only, no networks")
    parser.add_argument("--units-only", action="store_true", help="no networks")
    parser.add_argument("--kind", action="append", help="only units of this kind, for --dry")
    parser.add_argument("--network", action="append", help="use this network (default: all)")
    parser.add_argument("--units", action="store_true", help="print every unit, too")
    parser.add_argument("--known", action="store_true", help="synthesise nothing that is new")
    parser.add_argument("--dry", action="store_true", help="do not write the coefficients")
    options = parser.parse_args()
    if options.known and options.samples is None:
        parser.error("--known needs --samples")
    if (options.kind or options.network) and not options.dry:
        parser.error("part of the samples fits nothing: give --dry, too")
    results = Results(options.samples, frozen=options.known)
    written = json.loads(TABLE.read_text(encoding="utf-8"))
    for family in options.family or FITTED:
        samples = unit_samples(family, results, options.kind, quick=options.quick)
        if not (options.quick or options.units_only):
            samples += network_samples(family, options.models, results, options.network)
        table = fitted([sample for sample in samples if not sample.held_out])
        if options.units:
            report_units(table, samples)
        report_networks(family, table, samples)
        report_fit(family, table, samples)
        written["families"][family] = table
    if not options.dry:
        TABLE.write_text(json.dumps(written, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
