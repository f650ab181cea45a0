"""The runner of the pages tells a page that holds from one that does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from page_runner import Command, FileBlock, follow, matches, steps_of

PAGE = """# A page

<!-- file: greet.sh -->
```sh
echo "hello $1"
```

Then type

```console
$ sh greet.sh \\
    world
hello world
$ true
```

<!-- not run -->
```console
$ false
```

<!-- instead: test -f greet.sh -->
```console
$ sudo false
```

```python
raise SystemExit("an example to read")
```
"""


def test_steps_are_files_and_commands_in_order() -> None:
    assert list(steps_of(PAGE)) == [
        FileBlock("greet.sh", 'echo "hello $1"\n'),
        Command("sh greet.sh \\\n    world", "hello world", 11),
        Command("true", None, 14),
        Command("test -f greet.sh", None, 24),
    ]


def test_a_page_that_holds(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    assert follow(page, tmp_path) == 3


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("hello world", "hello you", r"(?s)page\.md:11: .*the page says\nhello you\nbut.*world"),
        ("$ true", "$ exit 3", r"page\.md:14: \$ exit 3\nexit status 3"),
        ("hello world", "error: hello world", r"exit status 0"),
    ],
)
def test_a_page_that_does_not(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE.replace(old, new))
    with pytest.raises(AssertionError, match=complaint):
        follow(page, tmp_path)


@pytest.mark.parametrize(
    ("expected", "printed", "same"),
    [
        ("a\nb", "a\nb\n", True),
        ("a\nb", "a  \nb\n\n", True),
        ("a\n…\nb", "a\nb\n", True),
        ("a\n…\nb", "a\nx\ny\nb\n", True),
        ("a\n…", "a\n1\n2\n", True),
        ("took … s", "took 1.25 s\n", True),
        ("took … s", "took 1.25 s\nmore\n", False),
        ("a\nb", "b\na\n", False),
        ("a.c", "abc\n", False),
    ],
)
def test_ellipses_stand_for_what_varies(expected: str, printed: str, same: bool) -> None:
    assert matches(expected, printed) is same
