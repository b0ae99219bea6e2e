import pytest

from convbook.catalogue import changed


def test_each_text_is_replaced_in_turn() -> None:
    assert changed("a = 1\nb = 2", ("1", "3"), ("3\nb", "4\nc")) == "a = 4\nc = 2"


@pytest.mark.parametrize(("source", "times"), [("a", 0), ("b b", 2)])
def test_a_text_that_does_not_stand_there_once_is_refused(source: str, times: int) -> None:
    with pytest.raises(ValueError, match=f"stands {times} times"):
        changed(source, ("b", "c"))
