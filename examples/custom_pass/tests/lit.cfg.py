"""`lit tests` runs the RUN lines of the .mlir files here, as MLIR's own tests are run."""

# pyright: reportUndefinedVariable=false
# ruff: noqa: F821, `lit` puts `config` here

import os
import sys

import lit.formats

config.name = "dead-channels"
config.test_format = lit.formats.ShTest()
config.suffixes = [".mlir"]
config.test_source_root = os.path.dirname(__file__)
# irc-opt and filecheck lie beside the Python that runs this.
config.environment["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
config.environment["PYTHONPATH"] = os.environ.get("PYTHONPATH", "")
