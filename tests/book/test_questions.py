"""Questions and predictions on a built page: by keyboard, remembered, forgotten, on paper, without scripts."""

import re

import pytest
from playwright.sync_api import Page, expect

GALLERY = "book/gallery.html"
CHAPTER = "book/01-convolution.html"
KEPT = "Object.keys(localStorage).filter((name) => name.startsWith('convbook/')).sort()"
# As in a browser: the property can be defined anew, and throws when it is read.
DENY = """for (const name of ["localStorage", "sessionStorage"]) Object.defineProperty(window, name, {
  configurable: true, get() { throw new DOMException("no", "SecurityError"); } });"""


@pytest.fixture
def gallery(book, open_page) -> Page:
    return open_page((book / GALLERY).as_uri())


@pytest.fixture
def visit(book, browser):
    """visit(name, script=None, **options): a page in a context of its own, where `script` runs first."""
    contexts = []

    def visit(name: str, script: str | None = None, **options) -> Page:
        contexts.append(browser.new_context(**options))
        if script:
            contexts[-1].add_init_script(script)
        page = contexts[-1].new_page()
        page.faults = []
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.goto((book / name).as_uri())
        return page

    yield visit
    for context in contexts:
        context.close()


def quiz(page: Page, number: int):
    return page.locator(f"#question-{number}")


# Text is read by `text_content`: a section out of sight is not laid out, and has no inner text.
def feedback(page: Page, number: int) -> str:
    return quiz(page, number).locator(".cb-feedback").text_content()


def tally(page: Page) -> str:
    return page.locator(".cb-tally [role=status]").text_content()


def shown(page: Page, selector: str) -> bool:
    """Whether it is there for a reader who comes to it: `hidden="until-found"` keeps a box and skips what is in it."""
    return page.locator(selector).first.evaluate("(each) => each.checkVisibility()")


def test_a_choice_is_made_and_checked_by_keyboard_and_each_option_has_its_feedback(gallery):
    said = gallery.locator("#question-1 + details [data-option]").all_text_contents()
    quiz(gallery, 1).get_by_role("radio").first.focus()
    gallery.keyboard.press("Space")
    for place, letter in enumerate("ABC"):
        gallery.keyboard.press("Enter")
        radio = quiz(gallery, 1).get_by_role("radio").nth(place)
        expect(radio).to_be_focused()
        expect(radio).to_be_checked()
        assert quiz(gallery, 1).get_by_role("status").text_content() == said[place]
        assert re.match(rf"\s*{letter}\. {'Yes' if letter == 'B' else 'No'}\. \S", said[place])
        marked = quiz(gallery, 1).locator("label[data-right]")
        assert marked.count() == 1, "the checked option alone bears a mark"
        assert marked.get_attribute("data-right") == str(letter == "B").lower()
        assert tally(gallery).startswith(f"{int(letter == 'B')} of 2 questions answered correctly.")
        gallery.keyboard.press("ArrowDown")
    assert quiz(gallery, 1).locator(".cb-feedback math").count() == 1, "formulas are set in the feedback too"
    assert not gallery.faults


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("7/3", "7/3. Yes."),
        ("2.33", "7/3. Yes."),
        ("2,335", "7/3. Yes."),
        ("2", "2. No. That is the median"),
        ("3", "Anything else. No. Add the three numbers"),
        ("two", "“two” is not a number. Write 16, −0.5 or 1/9."),
        ("<b>2</b>", "“<b>2</b>” is not a number."),
        ("", "Write a number first."),
    ],
)
def test_a_number_gets_the_feedback_of_its_option(gallery, text, words):
    field = quiz(gallery, 2).get_by_label("Your answer")
    field.fill(text)
    field.press("Enter")
    assert feedback(gallery, 2).lstrip().startswith(words)
    expect(field).to_be_focused()
    assert tally(gallery).startswith(f"{int('Yes' in words)} of 2")


def test_checking_without_an_answer_asks_for_one(gallery):
    quiz(gallery, 1).get_by_role("button", name="Check").click()
    assert feedback(gallery, 1) == "Choose an answer first."
    expect(quiz(gallery, 1).get_by_role("button", name="Check")).to_be_focused()


def test_a_question_has_a_name_and_each_option_its_label(gallery):
    group = gallery.get_by_role("group", name=re.compile("^Question 1 Five pixels"))
    assert group.get_by_role("radio", name=re.compile("^A")).count() == 1
    assert gallery.get_by_role("group", name="Predict, then run").get_by_label("Your guess").count() == 1


def test_the_output_of_a_cell_waits_for_a_guess(gallery):
    output = "#prediction-1 + .cell .cell_output"
    assert not shown(gallery, f"{output} pre")
    expect(gallery.get_by_text("The output waits for your guess.")).to_be_visible()
    first = gallery.locator("#prediction-1")
    field = first.get_by_label("Your guess")
    field.press("Enter")
    expect(first.get_by_role("status")).to_have_text("Write a guess first. Any guess will do.")
    field.fill("[6, 2]")
    field.press("Enter")
    assert shown(gallery, f"{output} pre")
    expect(first.get_by_text("Your guess: [6, 2]")).to_be_focused()
    expect(gallery.get_by_text("The output waits for your guess.")).to_be_hidden()
    assert "1 of 2 predictions opened." in tally(gallery)


def test_an_answer_opens_with_a_number_or_without_a_guess(gallery):
    second = gallery.locator("#prediction-2")
    answer = "#prediction-2 > details p"
    assert not shown(gallery, answer)
    second.get_by_label("Your guess, a number").fill("many")
    second.get_by_role("button", name="Guess, then open").click()
    expect(second.get_by_role("status")).to_contain_text("“many” is not a number.")
    assert not shown(gallery, answer)
    second.get_by_role("button", name="Show without guessing").click()
    assert shown(gallery, answer)
    expect(second.get_by_text("Shown without a guess.")).to_be_focused()


def test_what_the_browsers_search_or_a_link_finds_is_uncovered(book, open_page):
    page = open_page((book / CHAPTER).as_uri())
    covered = page.locator("#prediction-3 + .cell .cell_output")
    assert covered.get_attribute("hidden") == "until-found"
    covered.evaluate("(each) => each.dispatchEvent(new Event('beforematch', { bubbles: true }))")
    assert covered.get_attribute("hidden") is None
    assert f"1 of {page.locator('.cb-predict').count()} predictions opened." in tally(page)


def answer_all(page: Page) -> None:
    quiz(page, 1).get_by_role("radio").nth(1).check()
    quiz(page, 1).get_by_role("button", name="Check").click()
    quiz(page, 2).get_by_label("Your answer").fill("2")
    quiz(page, 2).get_by_role("button", name="Check").click()
    page.locator("#prediction-1").get_by_label("Your guess").fill("six")
    page.locator("#prediction-1").get_by_role("button", name="Guess").first.click()
    page.locator("#prediction-2").get_by_role("button", name="Show without").click()


def what_shows(page: Page) -> list:
    return [
        tally(page),
        feedback(page, 1),
        feedback(page, 2),
        quiz(page, 1).locator("input:checked").evaluate_all("found => found.map((each) => each.value)"),
        quiz(page, 2).get_by_label("Your answer").input_value(),
        page.locator(".cb-guess:not([hidden])").all_text_contents(),
        shown(page, "#prediction-1 + .cell .cell_output pre"),
    ]


def test_answers_are_there_after_a_reload_and_gone_when_forgotten(gallery):
    untouched = what_shows(gallery)
    answer_all(gallery)
    answered = what_shows(gallery)
    assert answered[0] == "1 of 2 questions answered correctly. 2 of 2 predictions opened."
    assert answered[3:6] == [["B"], "2", ["Your guess: six", "Shown without a guess."]]
    gallery.reload()
    gallery.wait_for_selector(".cb-tally")
    assert what_shows(gallery) == answered
    forget = gallery.get_by_role("button", name="Forget my answers on this page")
    forget.press("Enter")
    expect(forget).to_be_focused()
    assert tally(gallery).endswith("Your answers on this page are forgotten.")
    gallery.reload()
    gallery.wait_for_selector(".cb-tally")
    assert what_shows(gallery) == untouched
    assert gallery.evaluate(KEPT) == []


def test_forgetting_in_the_whole_book_reaches_other_pages_and_nothing_else(gallery):
    answer_all(gallery)
    gallery.evaluate("localStorage.setItem('convbook/answers/book/other', '{}'); localStorage.setItem('mode', 'dark')")
    assert gallery.evaluate(KEPT) == ["convbook/answers/book/gallery", "convbook/answers/book/other"]
    gallery.get_by_role("button", name="Forget them in the whole book").click()
    assert gallery.evaluate(KEPT) == []
    assert gallery.evaluate("localStorage.getItem('mode')") == "dark"


def test_a_question_that_has_changed_since_starts_anew(gallery):
    answer_all(gallery)
    gallery.evaluate(
        """() => {
          const place = "convbook/answers/book/gallery";
          const kept = JSON.parse(localStorage.getItem(place));
          const [first, ...others] = Object.entries(kept);
          const options = others.map(([key, value]) => [key, { ...value, option: "Z", guess: 7 }]);
          localStorage.setItem(place, JSON.stringify(Object.fromEntries([["0".repeat(12), first[1]], ...options])));
        }"""
    )
    gallery.reload()
    gallery.wait_for_selector(".cb-tally")
    assert tally(gallery) == "0 of 2 questions answered correctly. 0 of 2 predictions opened."
    assert not gallery.faults


def test_where_storage_is_denied_everything_works_until_the_page_goes(visit):
    page = visit(GALLERY, DENY, color_scheme="light")
    answer_all(page)
    assert tally(page) == "1 of 2 questions answered correctly. 2 of 2 predictions opened."
    assert "keeps nothing" in page.locator(".cb-where").text_content()
    page.get_by_role("button", name="Forget my answers on this page").click()
    assert tally(page).startswith("0 of 2")
    page.locator(".theme-switch-button:visible").first.click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark", "the theme's scripts live, too"
    page.keyboard.press("Control+k")
    expect(page.locator("#pst-search-dialog")).to_be_visible()
    assert not page.faults


def test_nothing_is_sent_anywhere(gallery):
    gallery.wait_for_load_state("networkidle")
    before = len(gallery.requested)
    answer_all(gallery)
    assert len(gallery.requested) == before


def test_without_scripts_all_answers_can_be_opened_and_nothing_is_covered(visit):
    page = visit(GALLERY, java_script_enabled=False)
    assert page.locator(".cb-quiz button, .cb-predict button, .cb-tally").count() == 0
    for answers in page.locator(".cb-answers, .cb-predict > details").all():
        answers.locator("summary").click()
        expect(answers.locator("p").first).to_be_visible()
    expect(page.locator("#prediction-1 + .cell .cell_output pre")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_on_paper_questions_stand_first_and_their_answers_at_the_end_of_the_section(visit, scripts):
    page = visit(CHAPTER, java_script_enabled=scripts)
    if scripts:
        page.wait_for_selector(".cb-tally")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    questions, answers = (
        [found.bounding_box()["y"] for found in page.locator(f"#quiz {each}").all()]
        for each in (".cb-quiz", ".cb-answers")
    )
    assert len(questions) == len(answers) >= 8
    assert questions == sorted(questions) and answers == sorted(answers)
    assert max(questions) < min(answers)
    if scripts:
        expect(page.locator("#quiz .cb-answer p").first).to_be_visible()
    for gone in ("#quiz button", ".cb-predict form", ".cb-tally", ".cb-covered"):
        assert not page.locator(gone).locator("visible=true").count(), gone
    expect(page.locator("#prediction-3 + .cell .cell_output pre")).to_be_visible()


def test_pages_without_questions_load_no_script_for_them(book):
    for page in book.glob("**/*.html"):
        text = page.read_text()
        assert ("questions.js" in text) == ("data-key=" in text), page
