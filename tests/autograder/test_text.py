import html
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from nbconvert.filters import markdown2html
from nbformat import NotebookNode

from autograder.text import clean, encodable, escape_markdown, plain_number


def test_escapes_and_invisible_characters_go() -> None:
    assert clean("\x1b[1;31mred\x1b[0m\x1b]0;title\x07 a\u202eb\x00c\r\nd\te") == "red a\ufffdb\ufffdc\nd\te"


@pytest.mark.parametrize(
    "character", "\x00\x07\x7f\x9b\u061c\u180e\u200b\u200f\u2028\u2029\u202e\u2066\ufeff\U000e0041\ud800"
)
def test_no_character_that_hides_or_turns_text_is_left(character: str) -> None:
    assert clean(f"a{character}b") == "a\ufffdb"


@given(st.text(st.characters(codec=None)), st.integers(2, 50))
def test_cleaned_text_is_short_and_can_be_encoded(text: str, limit: int) -> None:
    cleaned = clean(text, limit)
    assert len(cleaned) <= limit
    cleaned.encode()
    assert "\x1b" not in cleaned


@given(st.lists(st.text("ab1.)(*_`~$&<>[]{}#+-=:/!|^\\ ", min_size=1, max_size=12), min_size=1, max_size=4))
@example(["a * b * c"])
@example(["<script>x</script>"])
@example(["[x](javascript:alert(1))"])
@example(["see https://example.org/a_b"])
@example(["1. a", "2. b", "- c"])
@example(["a", "==="])
def test_escaped_text_is_shown_letter_by_letter(lines: list[str]) -> None:
    text = "\n".join(line.strip() or "x" for line in lines)
    shown = markdown2html(escape_markdown(text))
    assert set(re.findall(r"<[a-z/!][^>]*>", shown)) <= {"<p>", "</p>", "<br>", "<br />"}
    letters = html.unescape(re.sub(r"<[a-z/!][^>]*>", "", shown))
    assert letters.split() == text.split()


def test_a_plain_sentence_is_left_as_it_is() -> None:
    sentence = "shelf-counts: take(title) removes one book, not 1.5 (or -2)!"
    assert escape_markdown(sentence) == sentence


@pytest.mark.parametrize(("value", "text"), [(3.0, "3"), (2.5, "2.5"), (0.1 + 0.2, "0.3"), (-0.0, "0")])
def test_numbers_read_plainly(value: float, text: str) -> None:
    assert str(plain_number(value)) == text


def test_what_no_file_can_hold_is_replaced_wherever_it_is() -> None:
    output = NotebookNode(text="\ud800a", data=NotebookNode({"text/plain": ["b\udfff"], "n\udc00": 1}))
    clean_ = encodable([output])
    assert clean_ == [{"text": "\ufffda", "data": {"text/plain": ["b\ufffd"], "n\ufffd": 1}}]
    assert type(clean_[0].data) is NotebookNode
