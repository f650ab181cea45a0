"""What this package adds to irc: found by the entry point in pyproject.toml."""

from xdsl.passes import ModulePass
from xdsl.universe import Universe


def prune_dead_channels() -> type[ModulePass]:
    # Imported when the pass is asked for, so that irc-opt starts fast with many packages.
    from dead_channels.prune_dead_channels import PruneDeadChannels

    return PruneDeadChannels


UNIVERSE = Universe(all_passes={"prune-dead-channels": prune_dead_channels})
