"""tools/notebooks.py: MyST in, plain Markdown out, a sentence with file and line for what a notebook cannot show."""

import json
import re
import subprocess
import sys
import textwrap
from html import unescape
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))  # the tools are scripts: their folder is where they import from

from myst import MystError  # noqa: E402
from myst.directives import DIRECTIVES  # noqa: E402
from myst.roles import ROLES  # noqa: E402

import notebooks as command  # noqa: E402

FRONT = """\
---
jupytext: {text_representation: {extension: .md, format_name: myst}}
kernelspec: {display_name: Python 3, language: python, name: python3}
---

# Slide a kernel

"""
FIRST_LINE = FRONT.count("\n") + 1
RAW = "https://raw.githubusercontent.com/someone/course/main/book/figures"
BLOB = "https://github.com/someone/course/blob/main"
REFERENCES = r"""
@article{lecun1998, author={LeCun, Yann and Bottou, L{\'e}on and Haffner, Patrick}, title={Gradient-Based Learning},
  journal={Proceedings}, volume={86}, number={11}, pages={2278--2324}, year={1998}, doi={10.1109/5.726791}}
@book{goodfellow2016, author={Goodfellow, Ian}, title={Deep Learning}, publisher={MIT Press}, year={2016},
  url={https://www.deeplearningbook.org/a_b}}
@misc{dumoulin2016, author={Dumoulin, Vincent and Visin, Francesco}, title={A Guide}, year={2016}, eprint={1603.07285}}
"""


@pytest.fixture
def course(tmp_path):
    """An empty course with one picture, three works and a second chapter to refer to."""
    (tmp_path / "course.toml").write_text(
        '[course]\nrepository = "https://github.com/someone/course"\nbranch = "main"\n'
    )
    figures = tmp_path / "book" / "figures"
    figures.mkdir(parents=True)
    (figures / "grid.svg").write_text("<svg/>")
    (figures / "dog.png").write_bytes(b"")
    (tmp_path / "book" / "index.md").write_text("# Front\n")
    (tmp_path / "book" / "references.bib").write_text(REFERENCES)
    write(tmp_path, "(max)=\n## Take the maximum\n\n$$ m $$ (eq-max)", "02-pooling")
    return tmp_path


def write(root, body, name="01-convolution"):
    path = root / "book" / f"{name}.md"
    path.write_text(FRONT + textwrap.dedent(body).strip("\n") + "\n", encoding="utf-8")
    return path


def cells(root, name="01-convolution"):
    command.generate(root, root / "out")
    return nbformat.read(root / "out" / "chapters" / f"{name}.ipynb", as_version=4).cells


def markdown(root, body):
    """What the Markdown `body` of a chapter becomes."""
    write(root, body)
    return "\n\n".join(cell.source for cell in cells(root)[2:])


GOLDEN = {
    "plain Markdown stays as it is": ("A *word*, `code`, $x_1$.\n\n- a\n- b\n\n| a | b |\n|---|---|\n| 1 | 2 |",) * 2,
    "a fence of code stays as it is": ("```python\nx = {1: '{ref}`a`'}\n```",) * 2,
    "inline math is put on one line": ("$a +\nb$ here", "$a + b$ here"),
    "a note": ("```{note}\nTwo.\n\nThree.\n```", "> **Note**\n>\n> Two.\n>\n> Three."),
    "a note that begins beside its name": ("```{warning} Mind\nthe gap.\n```", "> **Warning**\n>\n> Mind the gap."),
    "see also": ("```{seealso}\nMore.\n```", "> **See also**\n>\n> More."),
    "an admonition with a title": (
        "```{admonition} Commonly believed: *it flips*\n:class: warning\n\nNo.\n```",
        "> **Commonly believed: *it flips***\n>\n> No.",
    ),
    "an admonition that folds": (
        "```{admonition} Answer\n:class: dropdown tip\n\n7\n```",
        "<details>\n<summary>Answer</summary>\n\n7\n\n</details>",
    ),
    "a dropdown, its title as HTML": (
        "```{dropdown} Use *k* & **see**\nText.\n```",
        "<details>\n<summary>Use <em>k</em> &amp; <strong>see</strong></summary>\n\nText.\n\n</details>",
    ),
    "directives in directives": (
        "````{tip}\nGuess.\n\n```{dropdown} Answer\n1\n```\n````",
        "> **Tip**\n>\n> Guess.\n>\n> <details>\n> <summary>Answer</summary>\n>\n> 1\n>\n> </details>",
    ),
    "a question with options": (
        "```{quiz}\nHow wide is $k$?\n\n[ ] $d \\cdot k$\n: No gap\n  is there.\n\n[x] 3\n: See:\n\n  $$ k $$\n```",
        "**Question 1.** How wide is $k$?\n\n- **A.** $d \\cdot k$\n- **B.** 3\n\n"
        "<details>\n<summary>If you say A</summary>\n\n**No.** No gap\nis there.\n\n</details>\n\n"
        "<details>\n<summary>If you say B</summary>\n\n**Yes.** See:\n\n$$\nk\n$$\n\n</details>",
    ),
    "a question for a number, which no option gives away": (
        "```{quiz}\n:tolerance: 0\n\nHow many?\n\n"
        "[x] 3\n: Count.\n\n[ ] 2\n: One more.\n\n[ ] else\n: See {sub}`a`.\n```",
        "**Question 1.** How many?\n\n<details>\n<summary>Answers to question 1</summary>\n\n"
        "**3: Yes.** Count.\n\n**2: No.** One more.\n\n**Anything else: No.** See <sub>a</sub>.\n\n</details>",
    ),
    "questions are counted": (
        "```{quiz}\nA?\n\n[x] a\n: a.\n\n[ ] b\n: b.\n```\n\n## Next\n\n"
        "```{quiz}\n:tolerance: 0\n\nB?\n\n[x] 1\n: c.\n```",
        "**Question 1.** A?\n\n- **A.** a\n- **B.** b\n\n"
        "<details>\n<summary>If you say A</summary>\n\n**Yes.** a.\n\n</details>\n\n"
        "<details>\n<summary>If you say B</summary>\n\n**No.** b.\n\n</details>\n\n## Next\n\n"
        "**Question 2.** B?\n\n<details>\n<summary>Answers to question 2</summary>\n\n**1: Yes.** c.\n\n</details>",
    ),
    "a prediction before a cell": (
        "```{predict}\n:run:\n\nWhat comes?\n```",
        "> **Predict, then run**\n>\n> What comes?",
    ),
    "a prediction with its answer": (
        "````{predict}\n:number:\nHow many?\n\n```{dropdown} Answer\n7\n```\n````",
        "> **Predict, then open**\n>\n> How many?\n>\n"
        "> <details>\n> <summary>Answer</summary>\n>\n> 7\n>\n> </details>",
    ),
    "a formula in an admonition keeps clear of the quotation's marks": (
        "```{note}\n$$\na \\\\\nb\n$$\n```",
        "> **Note**\n>\n> $$ \\begin{aligned} a \\\\ b \\end{aligned} $$",
    ),
    "a formula with a label, and a reference to it": (
        "$$\nx\n$$ (eq-x)\n\nBy {eq}`eq-x`.",
        "$$\nx \\tag{1.1}\n$$\n\nBy (1.1).",
    ),
    "a math directive": ("```{math}\n:label: eq-y\ny\n```", "$$\ny \\tag{1.1}\n$$"),
    "rows inside an environment need no other": (
        "$$\n\\begin{bmatrix} 1 \\\\ 2 \\end{bmatrix}\n$$",
        "$$\n\\begin{bmatrix} 1 \\\\ 2 \\end{bmatrix}\n$$",
    ),
    "a figure": (
        "See {numref}`fig-g`, or {numref}`picture %s <fig-g>`.\n\n"
        "```{figure} figures/grid.svg\n:name: fig-g\n:alt: Nine cells [a, b].\n\nA *grid*.\n```",
        "See Fig. 1.1, or picture 1.1.\n\n"
        f"![Nine cells \\[a, b\\].]({RAW}/grid.svg?sanitize=true)\n\n**Fig. 1.1.** A *grid*.",
    ),
    "a figure with a width": (
        '```{figure} figures/dog.png\n:alt: A "dog".\n:width: 200px\n\nRex.\n```',
        f'<img src="{RAW}/dog.png" alt="A &quot;dog&quot;." width="200">\n\n**Fig. 1.1.** Rex.',
    ),
    "an image": ("```{image} figures/dog.png\n:alt: A dog.\n```", f"![A dog.]({RAW}/dog.png)"),
    "a picture in the text": ("Look: ![A dog.](figures/dog.png).", f"Look: ![A dog.]({RAW}/dog.png)."),
    "an exercise and its solution": (
        "## Exercises\n\n```{exercise} By $k$\n:label: ex-k\n\nFind it.\n```\n\n"
        "```{solution} ex-k\n:class: dropdown\n\n7\n```",
        "## Exercises\n\n### Exercise 1.1: By $k$\n\nFind it.\n\n"
        "<details>\n<summary>Solution to exercise 1.1</summary>\n\n7\n\n</details>",
    ),
    "a reference to an exercise": (
        "```{exercise}\n:label: ex-k\n\nFind it.\n```\n\n{ref}`ex-k`, {numref}`ex-k`",
        "## Exercise 1.1\n\nFind it.\n\nExercise 1.1, Exercise 1.1",
    ),
    "a table of lists": (
        "```{list-table} Sizes\n:header-rows: 1\n:name: tab-s\n\n* - n\n  - {math}`k`\n* - 5\n  - 3\n```\n\n"
        "{numref}`tab-s`",
        "**Table 1.1.** Sizes\n\n| n | $k$ |\n| --- | --- |\n| 5 | 3 |\n\nTable 1.1",
    ),
    "a table with a caption": (
        "```{table} Sizes\n| a |\n|---|\n| 1 |\n```",
        "**Table 1.1.** Sizes\n\n| a |\n|---|\n| 1 |",
    ),
    "roles in the cells of a table": (
        "| {math}`k` | {math}`k` |\n|---|---|\n| {kbd}`a` | {sub}`a` |",
        "| $k$ | $k$ |\n|---|---|\n| <kbd>a</kbd> | <sub>a</sub> |",
    ),
    "roles in lists and quotations": (
        "- a {sup}`2`\n  b {sup}`3`\n\n> c {sup}`4`",
        "- a <sup>2</sup>\n  b <sup>3</sup>\n\n> c <sup>4</sup>",
    ),
    "a section and references to it": (
        "(place)=\n## A place\n\n{ref}`place`, {ref}`there <place>`, [here](#place), [](#place).",
        "## A place\n\nA place, there, here, A place.",
    ),
    "references to another chapter": (
        "{ref}`max`, {eq}`eq-max`, {doc}`02-pooling`, [`max`](02-pooling.md#max), [it](#max).",
        "[Take the maximum](02-pooling.ipynb), [(2.1)](02-pooling.ipynb), [Slide a kernel](02-pooling.ipynb), "
        "[`max`](02-pooling.ipynb), [it](02-pooling.ipynb).",
    ),
    "links to files and to the web": (
        "[front](index.md), [do](../notebooks/assignments/01/01.ipynb), [web](https://a.org/b_c), <https://d.org>.",
        f"[front]({BLOB}/book/index.md), [do](../assignments/01/01.ipynb), [web](https://a.org/b_c), <https://d.org>.",
    ),
    "citations and their list": (
        "{cite:t}`dumoulin2016` after {cite:p}`lecun1998,goodfellow2016`.\n\n"
        "```{bibliography}\n:filter: docname in docnames\n```",
        "[Dumoulin and Visin (2016)](https://arxiv.org/abs/1603.07285) after "
        "([LeCun et al., 1998](https://doi.org/10.1109/5.726791); "
        "[Goodfellow, 2016](https://www.deeplearningbook.org/a_b)).\n\n"
        "- V. Dumoulin and F. Visin. A guide. 2016. [arXiv:1603.07285](https://arxiv.org/abs/1603.07285).\n"
        "- I. Goodfellow. *Deep Learning*. MIT Press, 2016. [online](https://www.deeplearningbook.org/a_b).\n"
        "- Y. LeCun, L. Bottou, and P. Haffner. Gradient-based learning. *Proceedings*, 86(11):2278–2324, 1998. "
        "[doi:10.1109/5.726791](https://doi.org/10.1109/5.726791).",
    ),
    "a list of references nobody placed": (
        "{cite:t}`goodfellow2016`",
        "[Goodfellow (2016)](https://www.deeplearningbook.org/a_b)\n\n## References\n\n"
        "- I. Goodfellow. *Deep Learning*. MIT Press, 2016. [online](https://www.deeplearningbook.org/a_b).",
    ),
    "footnotes": (
        "A.[^b] B.[^a] C.[^b]\n\n[^a]: First {math}`x`.\n[^b]: Second.\n",
        "A.<sup>1</sup> B.<sup>2</sup> C.<sup>1</sup>\n\n<sup>1</sup> Second.\n\n<sup>2</sup> First $x$.",
    ),
    "a list of definitions": (
        "Stride\n: The step\n  in {math}`s`.\n\n*Padding*\n: The rim.",
        "- **Stride**:\n  The step\n  in $s$.\n\n- ***Padding***:\n  The rim.",
    ),
    "comments leave nothing": ("One.\n\n% hidden\n\n<!-- hidden -->\n\nTwo.<!-- hidden -->", "One.\n\nTwo."),
    "HTML that both show": ("Press <kbd>a</kbd>.<br>\nTwo",) * 2,
    "a cell break": ("One.\n\n+++\n\nTwo.", "One.\n\nTwo."),
    "a note in the margin": ("```{margin} Aside\nText.\n```", "> **Aside**\n>\n> Text."),
}


@pytest.mark.parametrize("myst, expected", GOLDEN.values(), ids=GOLDEN)
def test_every_construct_becomes_plain_markdown(course, myst, expected):
    assert markdown(course, myst) == expected


def test_the_examples_cover_every_directive_and_role_that_is_supported():
    examples = "\n".join(myst for myst, _ in GOLDEN.values()) + GLUED
    alike = {"hint", "important", "caution", "attention", "danger", "error", "sidebar", "topic"}  # as note or margin
    assert {name for name in DIRECTIVES if f"{{{name}}}" not in examples} == alike
    assert {name for name in ROLES if f"{{{name}}}`" not in examples} == {"cite"}  # as cite:p


ERRORS = {
    "an unknown directive": ("One.\n\n```{tabs}\nx\n```", 2, "cannot show {tabs}. Supported: admonition, "),
    "a code cell in a directive": ("````{note}\n```{code-cell}\n1\n```\n````", 1, "cannot show {code-cell}"),
    "an unknown role": ("One\ntwo {abbr}`x`.", 1, "cannot show the role {abbr}. Supported: cite, "),
    "an unknown option": ("```{figure} figures/grid.svg\n:target: x\n\nA.\n```", 0, "{figure} has no option `target`"),
    "options that are not YAML": ("```{note}\n---\n[\n---\n```", 0, "not YAML"),
    "a directive in a list": ("- a\n\n  ```{note}\n  b\n  ```", 2, "Move {note} out of the list"),
    "a role inside a directive": ("```{note}\n:class: tip\n\none\n{x}`y`\n```", 4, "cannot show the role {x}"),
    "an unknown label": ("See {ref}`nowhere`.", 0, "Nothing is labelled `nowhere`. Labels: eq-max, max."),
    "an unknown equation": ("{eq}`nowhere`", 0, "Nothing is labelled `nowhere`"),
    "a section as an equation": ("{eq}`max`", 0, "`max` labels no equation"),
    "a section as a numbered thing": ("{numref}`max`", 0, "`max` has no number"),
    "a target without a title": ("(x)=\nText.\n\n## Other\n\n{ref}`x`", 5, "`x` has no title"),
    "a label twice": ("$$ a $$ (eq-a)\n\n$$ b $$ (eq-a)", 2, "`eq-a` is already defined in 01-convolution, line 8."),
    "a label of two chapters": ("$$ a $$ (eq-max)", None, "`eq-max` is already defined in 01-convolution"),
    "an unknown work": ("{cite:p}`nobody2000`", 0, "No work has the key `nobody2000` in references.bib"),
    "a missing picture": ("x\n\n![A cat.](figures/cat.png)", 2, "no file book/figures/cat.png"),
    "a picture without alt text": (
        "```{image} figures/grid.svg\n```",
        0,
        "Say in the alt text what figures/grid.svg shows.",
    ),
    "a picture outside the repository": ("![A.](../../x.png)", 0, "There is no file ../x.png"),
    "a picture from the web": ("![A.](https://a.org/x.png)", 0, "There is no file"),
    "a figure without a caption": ("```{figure} figures/grid.svg\n:alt: A.\n```", 0, "Give the figure a caption"),
    "a missing page": ("[x](nothing.md)", 0, "no file book/nothing.md"),
    "an admonition without a title": ("```{admonition}\nx\n```", 0, "Give {admonition} a title"),
    "an exercise without a label": ("```{exercise}\nx\n```", 0, "Give the exercise a :label:"),
    "a solution to nothing": ("```{solution} ex-x\nx\n```", 0, "Nothing is labelled `ex-x`"),
    "HTML that is not shown alike": ("a\n\n<div>x</div>", 2, "cannot show HTML such as <div>"),
    "inline HTML that is not shown alike": ("a\nb <script>x</script>", 1, "HTML such as <script>"),
    "a link defined elsewhere": ("[a][b]\n\n[b]: https://c.org", 2, "Write links in place"),
    "a formula of two": ("$$\na\n\nb\n$$", 0, "Write one formula a block"),
    "a labelled formula in a list": ("- a\n\n  $$ b $$ (eq-b)", 2, "Move this formula out of the list"),
    "a footnote without a text": ("a\nb[^x]", 1, "‘[^x]’ as text"),
    "a role that does not end": ("a {ref}`b", 0, "‘{ref}`’ as text"),
    "a fence with a backtick in its title": ("````{admonition} On `x`\nb\n````", 0, "‘```’ as text"),
    "a fence of colons": (":::{note}\nb\n:::", 0, "‘:::’ as text"),
    "a number that begins a list": ("7. That is all.", 0, "begins a list here"),
    "a table of unequal rows": (
        "```{list-table}\n:header-rows: 1\n\n* - a\n  - b\n* - c\n```",
        0,
        "equally many cells",
    ),
    "a table without a head": ("```{list-table}\n* - a\n```", 0, "`:header-rows: 1`"),
    "a bar in a table cell": ("```{list-table}\n:header-rows: 1\n\n* - a|b\n```", 0, "cannot hold a `|`"),
    "a value that no cell glues": ("{glue:text}`share`", 0, "No cell of this chapter glues `share`"),
    "glue beside other code": ("```{code-cell}\nx = 1\nglue('x', x)\n```", 0, "in a cell of their own"),
    "glue imported beside other code": (
        "```{code-cell}\nimport numpy\nfrom myst_nb import glue\n```",
        0,
        "in a cell of their own",
    ),
    "a directive on one line": ("```{note} x```", 0, "This fence is read as text"),
    "glue of an expression": ("```{code-cell}\nglue('x', 1 + 1)\n```", 0, "in a cell of their own"),
    "code that is no Python": ("```{code-cell}\nx = 1\n!ls\n```", 2, "not plain Python"),
    "metadata of another kind": ("```{code-cell}\n:slideshow: x\n1\n```", 0, "with mystnb and tags alone"),
    "a quiz without options": ("A.\n\n```{quiz}\nWhich?\n```", 2, "its options: a line `[x] 3`"),
    "a quiz that asks by a table": ("```{quiz}\n| a |\n|---|\n\n[x] a\n: b.\n```", 0, "A quiz is a question in words"),
    "an option without a mark": ("```{quiz}\nWhich?\n\none\n: Yes.\n```", 0, "‘one’ needs a mark"),
    "feedback without words": ("```{quiz}\nWhich?\n\n[x] a\n: - b\n```", 0, "begins with words"),
    "a role in feedback": ("```{quiz}\nWhich?\n\n[x] a\n: b,\n  {bogus}`x`.\n```", 5, "{bogus}"),
    "a raw cell": ("```{raw-cell}\nx\n```", 0, "A cell is Markdown or code"),
}


@pytest.mark.parametrize("myst, line, words", ERRORS.values(), ids=ERRORS)
def test_anything_else_fails_with_file_line_and_what_to_do(course, myst, line, words):
    write(course, myst)
    with pytest.raises(MystError) as caught:
        cells(course)
    name = "book/01-convolution.md" if line is not None else "book/02-pooling.md"
    if line is not None:
        assert str(caught.value).startswith(f"{name}:{FIRST_LINE + line}: ")
    assert str(caught.value).startswith(f"{name}:") and words in str(caught.value)


@pytest.mark.parametrize(
    "text, words",
    [
        ("# No front matter\n", "jupytext's front matter"),
        (FRONT.replace("# Slide", "## Slide"), "begins with its title"),
    ],
)
def test_a_chapter_needs_a_kernel_and_a_title(course, text, words):
    (course / "book" / "01-convolution.md").write_text(text)
    with pytest.raises(MystError, match=words):
        cells(course)


def test_a_chapter_opens_with_its_title_its_links_and_the_install_cell(course):
    write(course, "Text.")
    head, install, first = cells(course)
    assert head.source == (
        "# Slide a kernel\n\n"
        "[Read this chapter as a page](https://someone.github.io/course/book/01-convolution.html) · "
        "[Open in Colab](https://colab.research.google.com/github/someone/course/blob/main/"
        "notebooks/chapters/01-convolution.ipynb) · "
        f"[Source]({BLOB}/book/01-convolution.md)"
    )
    assert "git+https://github.com/someone/course@main" in install.source
    assert [cell.id for cell in (head, install, first)] == [f"01-convolution-0{i}" for i in range(3)]


def test_folded_cells_keep_their_tags_and_figures_of_cells_get_their_captions_and_words(course):
    write(
        course,
        """
        {numref}`fig-p`

        ```{code-cell} python
        ---
        tags: [hide-input]
        mystnb:
          image: {alt: "2 dots, *a* < b & _c_."}
          figure: {name: fig-p, caption: "Dots in *rows*."}
        ---
        plot()
        ```

        ```{code-cell} python
        ---
        mystnb:
          figure: {name: fig-q, caption: "A table."}
        ---
        table()
        ```
        """,
    )
    reference, code, caption, _, bare = cells(course)[2:]
    assert reference.source == "Fig. 1.1"
    assert code.metadata == {"cellView": "form", "jupyter": {"source_hidden": True}, "tags": ["hide-input"]}
    assert caption.source == (
        "**Fig. 1.1.** Dots in *rows*.\n\n<details>\n<summary>Fig. 1.1 in words</summary>\n\n"
        "<p>2 dots, *a* &lt; b &amp; _c_.</p>\n\n</details>"
    )
    assert bare.source == "**Fig. 1.2.** A table."


GLUED = """
The share is {glue:text}`edge-share:.2f`.

```{code-cell} python
share = 1
```

```{code-cell} python
:tags: [remove-cell]
from myst_nb import glue
glue("edge-share", share, display=False)
```
"""


def test_a_glued_value_becomes_the_name_of_its_variable_and_its_cell_is_left_out(course):
    write(course, GLUED)
    assert [cell.source for cell in cells(course)[2:]] == ["The share is `share`.", "share = 1"]


def test_two_runs_give_the_same_bytes_and_valid_notebooks(course):
    write(course, "\n\n".join(myst for myst, _ in list(GOLDEN.values())[:8]))
    runs = []
    for name in ("one", "two"):
        command.generate(course, course / name)
        runs.append(command.contents(course / name))
    assert runs[0] == runs[1]
    assert sorted(runs[0]) == ["README.md", "chapters/01-convolution.ipynb", "chapters/02-pooling.ipynb"]
    for name, content in runs[0].items():
        assert content.endswith(b"\n") and b"\r" not in content
        if name.endswith(".ipynb"):
            notebook = nbformat.reads(content.decode(), as_version=4)
            nbformat.validate(notebook)
            assert notebook.nbformat_minor == 5 and set(notebook.metadata) == {"kernelspec", "language_info"}


def edit(path, change):
    notebook = json.loads(path.read_text())
    change(notebook)
    path.write_text(json.dumps(notebook))


SPOILED = {
    "a hand edit": (
        lambda folder: edit(folder / "chapters/01-convolution.ipynb", lambda n: n["cells"].pop()),
        "notebooks/chapters/01-convolution.ipynb is not what its source gives.",
    ),
    "a stored output": (
        lambda folder: edit(
            folder / "chapters/01-convolution.ipynb",
            lambda n: n["cells"][1].update(outputs=[{"output_type": "stream", "name": "stdout", "text": "1"}]),
        ),
        "notebooks/chapters/01-convolution.ipynb holds outputs.",
    ),
    "an execution count": (
        lambda folder: edit(
            folder / "chapters/01-convolution.ipynb", lambda n: n["cells"][1].update(execution_count=3)
        ),
        "notebooks/chapters/01-convolution.ipynb holds outputs.",
    ),
    "a stray notebook": (
        lambda folder: (folder / "chapters" / "mine.ipynb").write_text("{}"),
        "notebooks/chapters/mine.ipynb comes from no source.",
    ),
    "a stray file": (lambda folder: (folder / "x.txt").write_text("x"), "notebooks/x.txt comes from no source."),
    "a missing notebook": (
        lambda folder: (folder / "chapters" / "02-pooling.ipynb").unlink(),
        "notebooks/chapters/02-pooling.ipynb is missing.",
    ),
    "a missing folder": (lambda folder: folder.rename(folder.with_name("x")), "notebooks/README.md is missing."),
}


@pytest.mark.parametrize("spoil, line", SPOILED.values(), ids=SPOILED)
def test_check_names_what_was_changed_by_hand_and_generating_repairs_it(course, capsys, spoil, line):
    write(course, "Text.")
    folder = course / "notebooks"
    assert command.main([], course) == 0
    assert command.main(["--check"], course) == 0
    before = command.contents(folder)
    spoil(folder)
    spoiled = command.contents(folder)
    capsys.readouterr()
    assert command.main(["--check"], course) == 1
    said = capsys.readouterr().err
    assert line in said and "Edit book/ or solutions/ and run `make notebooks`." in said
    assert command.contents(folder) == spoiled, "--check changes nothing"
    assert command.main([], course) == 0
    assert command.contents(folder) == before
    saved = command.contents(course / "_build" / "replaced-notebooks") if (course / "_build").exists() else {}
    changed_or_removed = [content for name, content in spoiled.items() if before.get(name) != content]
    assert sorted(saved.values()) == sorted(changed_or_removed), "nobody's work is lost"


def test_check_minds_no_checkpoints_of_jupyterlab(course):
    write(course, "Text.")
    command.main([], course)
    checkpoint = course / "notebooks" / "chapters" / ".ipynb_checkpoints" / "x.ipynb"
    checkpoint.parent.mkdir()
    checkpoint.write_text("{}")
    assert command.main(["--check"], course) == 0
    command.main([], course)
    assert checkpoint.exists()


def test_a_second_run_writes_nothing(course, capsys):
    write(course, "Text.")
    command.main([], course)
    times = {path: path.stat().st_mtime_ns for path in (course / "notebooks").rglob("*.ipynb")}
    capsys.readouterr()
    command.main([], course)
    assert {path: path.stat().st_mtime_ns for path in times} == times and capsys.readouterr().out == ""


def test_an_error_leaves_the_notebooks_as_they_are(course, capsys):
    write(course, "Text.")
    command.main([], course)
    before = command.contents(course / "notebooks")
    write(course, "{x}`y`")
    assert command.main([], course) == 1
    assert f"book/01-convolution.md:{FIRST_LINE}: " in capsys.readouterr().err
    assert command.contents(course / "notebooks") == before


BOTH = """
{eq}`eq-b`, {numref}`fig-b`, {numref}`fig-c`, {numref}`ex-b`, {numref}`tab-b`, {ref}`place`

$$ a $$ (eq-a)

$$ b $$

```{math}
:label: eq-b
c
```

```{figure} figures/dog.png
:name: fig-a
:alt: A dog.

One.
```

```{code-cell} python
---
mystnb:
  figure: {name: fig-b, caption: Two.}
---
from IPython.display import SVG
SVG("<svg xmlns='http://www.w3.org/2000/svg'/>")
```

```{figure} figures/dog.png
:name: fig-c
:alt: A dog.

Three.
```

```{exercise} One
:label: ex-a

Text.
```

```{exercise}
:label: ex-b

Text.
```

```{list-table} Sizes
:name: tab-a
:header-rows: 1

* - a
* - b
```

```{table} Sizes
:name: tab-b

| a |
|---|
| b |
```

(place)=
## A place
"""


def test_numbers_are_those_that_the_book_prints(course):
    """Sphinx, with the book's settings for numbers, is the oracle."""
    write(course, BOTH)
    (course / "index.md").write_text(
        "# Book\n\n```{toctree}\n:numbered: 1\n\nbook/01-convolution\nbook/02-pooling\n```\n"
    )
    settings = {
        "extensions": ["myst_nb", "sphinx_exercise"],
        "numfig": True,
        "numfig_secnum_depth": 1,
        "nb_execution_mode": "force",
        "myst_enable_extensions": ["deflist", "dollarmath"],
        "exclude_patterns": ["out", "book/index.md"],
        "html_theme": "basic",
    }
    (course / "conf.py").write_text("\n".join(f"{key} = {value!r}" for key, value in settings.items()))
    build = [sys.executable, "-m", "sphinx", "-q", "-W", "-b", "html", str(course), str(course / "html")]
    subprocess.run(build, check=True, capture_output=True, timeout=120)
    page = (course / "html" / "book" / "01-convolution.html").read_text()
    paragraph = re.search(r"<p>(<a .*?)</p>", page, re.DOTALL)[1]
    expected = unescape(re.sub(r"<[^>]+>", "", paragraph)).replace("\n", " ")
    built = cells(course)
    assert built[2].source.split("\n")[0] == expected == "(1.2), Fig. 1.2, Fig. 1.3, Exercise 1.2, Table 1.2, A place"
    captions = re.findall(r"(?:Fig\.|Table|Exercise) 1\.\d", re.sub(r"<[^>]+>", "", page.split(paragraph)[1]))
    ours = re.findall(
        r"(?:Fig\.|Table|Exercise) 1\.\d", "\n".join(cell.source for cell in built).split("A place", 1)[1]
    )
    assert ours == captions
