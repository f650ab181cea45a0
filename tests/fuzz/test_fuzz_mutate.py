"""Whatever damage Hypothesis chooses, readers answer or raise an error for people."""

from __future__ import annotations

from contextlib import suppress

from drawn_networks import DrawnChoices
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from model_files import network
from xdsl.utils.exceptions import ParseError, VerifyException

from irc.errors import IrcError
from irc.frontend.import_onnx import import_model
from irc.fuzz.mutate.bytes import mutate_bytes
from irc.fuzz.mutate.onnx import mutate_onnx
from irc.fuzz.mutate.text import mutate_text
from irc.fuzz.networks.choices import SeededChoices
from irc.loading import new_context
from irc.parsing import parse_text
from irc.printing import print_ir
from irc.verifying import verify_module

WHOLE = network().SerializeToString()
TEXT = print_ir(import_model(WHOLE))

quick = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@quick
@given(st.data())
def test_damaged_models(data: st.DataObject) -> None:
    content = mutate_onnx(DrawnChoices(data.draw), WHOLE)
    # Anything else that is raised fails the test.
    with suppress(IrcError):
        import_model(content)


@quick
@given(st.data())
def test_damaged_texts(data: st.DataObject) -> None:
    text = mutate_text(DrawnChoices(data.draw), TEXT, [TEXT])
    with suppress(IrcError, ParseError, VerifyException, RecursionError):
        verify_module(parse_text(new_context(), text))


def test_damage_follows_from_the_seed() -> None:
    for seed in range(20):
        for mutate, whole in ((mutate_onnx, WHOLE), (mutate_bytes, WHOLE)):
            first, second = (mutate(SeededChoices(seed), whole) for _ in range(2))
            assert first == second


def test_most_damage_changes_something() -> None:
    changed = [mutate_onnx(SeededChoices(seed), WHOLE) != WHOLE for seed in range(100)]
    assert sum(changed) > 90
    texts = [mutate_text(SeededChoices(seed), TEXT) != TEXT for seed in range(100)]
    assert sum(texts) > 90
