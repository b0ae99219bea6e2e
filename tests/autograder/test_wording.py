import pytest

from autograder.assignment import Assignment
from autograder.wording import by_name, raised


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("CheckFailed", "double must work for every whole number, not for 3 alone.\nthe result is 7", "hint"),
        ("CheckFailed", "the result is [0.123]", "A hidden test failed."),
        ("AssertionError", "[0.123]", "A hidden test failed."),
        ("KeyError", "0.123", "Your code raised KeyError on an input of the hidden tests."),
        ("\x1b[31m<b>", "0.123", "Your code raised <b> on an input of the hidden tests."),
    ],
)
def test_only_words_of_the_test_itself_leave_its_hidden_half(
    tiny: Assignment, name: str, text: str, message: str
) -> None:
    hidden = next(cell for cell in tiny.cells if cell.id == "double-numbers").hidden_source
    expected = "double must work for every whole number, not for 3 alone." if message == "hint" else message
    assert by_name(hidden, True, name, text, 64) == ("failed", expected)


def test_the_visible_half_says_all() -> None:
    assert by_name("", False, "CheckFailed", "It is 3, not 4.", 64) == ("failed", "It is 3, not 4.")
    assert by_name("", False, "AssertionError", "", 64) == ("failed", "A check of this part failed.")
    assert by_name("", False, "KeyError", "'a'", 64) == ("failed", "Your code raised KeyError: 'a'")


@pytest.mark.parametrize("hidden", [False, True])
def test_what_is_not_written_or_does_not_fit_is_named(hidden: bool) -> None:
    assert raised("NotImplementedError", "", hidden=hidden, memory_mb=64)[0] == "not-attempted"
    status, message = raised("MemoryError", "[0.123]", hidden=hidden, memory_mb=64)
    assert status == "memory"
    assert "64 MB" in message and "0.123" not in message
