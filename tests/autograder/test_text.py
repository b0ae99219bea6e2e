import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbconvert.filters import markdown2html
from nbformat import NotebookNode

from autograder.text import clean, encodable, escape_markdown, plain_number


def test_escapes_and_invisible_characters_go() -> None:
    assert clean("\x1b[1;31mred\x1b[0m\x1b]0;title\x07 a\u202eb\x00c\r\nd\te") == "red a\ufffdb\ufffdc\nd\te"


@given(st.text(st.characters(codec=None)), st.integers(2, 50))
def test_cleaned_text_is_short_and_can_be_encoded(text: str, limit: int) -> None:
    cleaned = clean(text, limit)
    assert len(cleaned) <= limit
    cleaned.encode()
    assert "\x1b" not in cleaned


@pytest.mark.parametrize(
    "text", ["a * b * c", "<script>x</script>", "[x](javascript:alert(1))", "`y` _z_ # h", "1. a\n2. b"]
)
def test_escaped_text_is_shown_letter_by_letter(text: str) -> None:
    shown = markdown2html(escape_markdown(text))
    for tag in ("<em>", "<script", "<a ", "<code>", "<h1", "<ol"):
        assert tag not in shown


@pytest.mark.parametrize(("value", "text"), [(3.0, "3"), (2.5, "2.5"), (0.1 + 0.2, "0.3"), (-0.0, "0")])
def test_numbers_read_plainly(value: float, text: str) -> None:
    assert str(plain_number(value)) == text


def test_what_no_file_can_hold_is_replaced_wherever_it_is() -> None:
    output = NotebookNode(text="\ud800a", data=NotebookNode({"text/plain": ["b\udfff"], "n\udc00": 1}))
    clean_ = encodable([output])
    assert clean_ == [{"text": "\ufffda", "data": {"text/plain": ["b\ufffd"], "n\ufffd": 1}}]
    assert type(clean_[0].data) is NotebookNode
