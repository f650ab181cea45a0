"""How the pages here become a site: `make docs` writes it to build/docs."""

import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "irc"
author = "the irc developers"
release = version = version_of("irc-bnn")

# irc_reference writes docs/reference from the code.
extensions = ["myst_parser", "sphinx_copybutton", "irc_reference"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_ext"]

# Headings are targets of links, as on code hosts.
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence", "fieldlist"]
# MLIR is not among Pygments' languages; the closest has the same comments and identifiers.
myst_fence_as_directive: list[str] = []
highlight_language = "none"
# Comments before a block tell the tests what to do with it.
copybutton_prompt_text = "$ "
copybutton_line_continuation_character = "\\"

html_theme = "furo"
html_title = "irc"
html_static_path: list[str] = []
