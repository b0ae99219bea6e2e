import os
import re
import stat
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from autograder.collect import collect
from autograder.errors import InstructorError


def put(root: Path, *paths: str, content: bytes = b"{}") -> Path:
    for each in paths:
        path = root / each
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def names(root: Path, name: str = "a1") -> list[str]:
    return [each.student for each in collect(root, name)[0]]


def zipped(path: Path, entries: dict[str, bytes], mode: int = 0) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, content)
    return path


def test_nbgraders_layout_is_read_and_other_assignments_are_not(tmp_path: Path) -> None:
    put(tmp_path, "ada/a1/a1.ipynb", "bo/a1/a1.ipynb", "cy/a2/a2.ipynb", "ada/a2/a2.ipynb")
    collected, without = collect(tmp_path, "a1")
    assert [each.student for each in collected] == ["ada", "bo"]
    assert without == ["cy"]
    assert collected[0].hand("a1", 1).data == b"{}"


def test_moodle_exports_are_read_flat_and_as_folders(tmp_path: Path) -> None:
    put(
        tmp_path / "flat",
        "Ada Lovelace_123_assignsubmission_file_a1.ipynb",
        "Émilie du Châtelet_7_assignsubmission_file_x.ipynb",
    )
    put(
        tmp_path / "deep",
        "Ada Lovelace_123_assignsubmission_file_/a1.ipynb",
        "Bo_9_assignsubmission_file/my work.ipynb",
    )
    assert names(tmp_path / "flat") == ["Ada Lovelace", "Émilie du Châtelet"]
    assert names(tmp_path / "deep") == ["Ada Lovelace", "Bo"]


def test_canvas_exports_are_read_and_late_ones_flagged(tmp_path: Path) -> None:
    put(tmp_path, "lovelaceada_123_4567_a1.ipynb", "noetheremmy_LATE_124_4568_a1-2.ipynb")
    ada, emmy = collect(tmp_path, "a1")[0]
    assert (ada.student, ada.flags) == ("lovelaceada", ())
    assert (emmy.student, emmy.flags) == ("noetheremmy", ("The platform marked this as late.",))


def test_plain_notebooks_are_named_by_their_file_and_other_files_are_not_submissions(tmp_path: Path) -> None:
    put(tmp_path, "ada.ipynb", "bo.ipynb", "README.txt", ".DS_Store", "__MACOSX/x.ipynb", ".hidden.ipynb")
    assert names(tmp_path) == ["ada", "bo"]


def test_students_of_one_name_are_told_apart(tmp_path: Path) -> None:
    put(
        tmp_path,
        "Li Wei_1_assignsubmission_file_x.ipynb",
        "Li Wei_2_assignsubmission_file_x.ipynb",
        "a?.ipynb",
        "a*.ipynb",
    )
    collected, _ = collect(tmp_path, "a1")
    assert [each.student for each in collected] == ["Li Wei_1", "Li Wei_2", "a_", "a_-2"]
    assert collected[3].flags == ("Another submission is called a_ too.",)


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        (["s/a1/report.pdf"], r"only report.pdf\. Hand in a1.ipynb"),
        (["s/a1/one.ipynb", "s/a1/two.ipynb"], "2 notebooks and none is called a1.ipynb"),
        (["s/a1/one.ipynb"], ""),
        (["s/a1/one.ipynb", "s/a1/a1.ipynb"], ""),
        (["s/a1/a1.ipynb", "s/other.ipynb"], ""),
        (["s/a1/a1.ipynb", "s/a1/.ipynb_checkpoints/a1-checkpoint.ipynb"], ""),
        (["Ada_1_assignsubmission_file_essay.docx"], "only Ada_1"),
    ],
)
def test_what_is_no_notebook_becomes_a_problem(tmp_path: Path, files: list[str], reason: str) -> None:
    (only,), _ = collect(put(tmp_path, *files), "a1")
    problem = only.hand("a1", 1).problem
    assert bool(problem) == bool(reason)
    if reason:
        assert re.search(reason, problem)


def test_links_and_pipes_are_not_followed(tmp_path: Path) -> None:
    put(tmp_path, "secret.txt")
    root = put(tmp_path / "class", "good/a1/a1.ipynb", "link/a1/x.txt", "pipe/a1/x.txt")
    (root / "link/a1/a1.ipynb").symlink_to(tmp_path / "secret.txt")
    (root / "folder").symlink_to(root / "good")
    os.mkfifo(root / "pipe/a1/a1.ipynb")
    handed = {each.student: each.hand("a1", 1) for each in collect(root, "a1")[0]}
    assert handed["good"].problem == ""
    assert "link" in handed["link"].problem
    assert handed["link"].flags == ("A link was handed in; it was not followed.",)
    assert "link" in handed["folder"].problem
    assert "cannot be read" in handed["pipe"].problem
    assert all(each.data in (b"", b"{}") for each in handed.values())


def test_reading_stops_behind_the_limit(tmp_path: Path) -> None:
    put(tmp_path, "ada.ipynb", content=b" " * (3 * 2**20))
    (ada,), _ = collect(tmp_path, "a1")
    assert len(ada.hand("a1", 1).data) == 2**20 + 1


@pytest.mark.parametrize(
    "entries",
    [
        ["ada.ipynb", "bo.ipynb"],
        ["class/ada.ipynb", "class/bo.ipynb"],
        ["ada/a1/a1.ipynb", "bo/a1/a1.ipynb"],
        ["class/ada/a1/a1.ipynb", "class/bo/a1/a1.ipynb"],
        ["ada_1_assignsubmission_file_/a.ipynb", "bo_2_assignsubmission_file_/b.ipynb"],
        ["ada_1_2_x.ipynb", "bo_3_4_y.ipynb", "__MACOSX/._ada_1_2_x.ipynb"],
        ["class/ada/a1/a1.ipynb", "class/bo/a1/a1.ipynb", "__MACOSX/class/ada/a1/._a1.ipynb", "class/.DS_Store"],
        ["class/ada/a1/a1.ipynb", "class/bo/a1/a1.ipynb", "../x/a1/a1.ipynb", "/cy/a1/a1.ipynb", "class/../d/e.ipynb"],
    ],
)
def test_a_zip_is_read_like_the_folder_in_it(tmp_path: Path, entries: list[str]) -> None:
    archive = zipped(tmp_path / "class.zip", dict.fromkeys(entries, b"{}"))
    collected, _ = collect(archive, "a1")
    assert [each.student for each in collected] == ["ada", "bo"]
    assert all(each.hand("a1", 1).data == b"{}" for each in collected)


def test_a_zip_with_one_student_in_nbgraders_layout_keeps_the_student(tmp_path: Path) -> None:
    assert names(zipped(tmp_path / "x.zip", {"ada/a1/a1.ipynb": b"{}"})) == ["ada"]


def test_names_in_a_zip_lead_nowhere(tmp_path: Path) -> None:
    entries = {"../../evil.ipynb": b"{}", "/etc/evil.ipynb": b"{}", "..\\evil.ipynb": b"{}", "ok.ipynb": b"{}"}
    found = names(zipped(tmp_path / "x.zip", entries))
    assert "ok" in found
    assert all("/" not in each and ".." not in each for each in found)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["x.zip"]


def test_a_link_in_a_zip_is_a_problem_and_a_bomb_is_read_to_the_limit(tmp_path: Path) -> None:
    (link,), _ = collect(zipped(tmp_path / "l.zip", {"ada.ipynb": b"/etc/passwd"}, stat.S_IFLNK | 0o777), "a1")
    assert "link" in link.hand("a1", 1).problem
    with zipfile.ZipFile(tmp_path / "b.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ada.ipynb", b"\0" * (50 * 2**20))
    (bomb,), _ = collect(tmp_path / "b.zip", "a1")
    assert len(bomb.hand("a1", 1).data) == 2**20 + 1


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_with_any_byte_changed_is_a_problem_of_whom_it_hits(tmp_path: Path, method: int) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("ada.ipynb", b"the content of a file " * 9)
        archive.writestr("bo.ipynb", b"{}")
    whole, problems = path.read_bytes(), set()
    for at in range(0, len(whole), 3):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x41]) + whole[at + 1 :])
        try:
            problems |= {each.hand("a1", 1).problem for each in collect(path, "a1")[0]}
        except InstructorError as error:
            assert re.search("Download it again|Give --submissions|holds no submissions", str(error))
    assert "The file cannot be read. Hand it in again." in problems
    assert all("Hand " in problem for problem in problems if problem)


def test_a_damaged_zip_of_a_class_is_said_so(tmp_path: Path) -> None:
    path = zipped(tmp_path / "x.zip", {"ada.ipynb": b"{}"})
    path.write_bytes(path.read_bytes().replace(b"PK\x01\x02", b"PK\x09\x09"))
    with pytest.raises(InstructorError, match="Download it again"):
        collect(path, "a1")


def test_an_encrypted_or_damaged_entry_is_a_problem(tmp_path: Path) -> None:
    path = zipped(tmp_path / "x.zip", {"ada.ipynb": b"content"})
    path.write_bytes(path.read_bytes().replace(b"content", b"CONTENT", 1))
    (ada,), _ = collect(path, "a1")
    assert "cannot be read" in ada.hand("a1", 1).problem


def test_the_time_of_submission_is_nbgraders_time_stamp(tmp_path: Path) -> None:
    put(tmp_path, "ada/a1/a1.ipynb", "bo/a1/a1.ipynb")
    put(tmp_path, "ada/a1/timestamp.txt", content=b"2026-11-20 12:00:00.000000 UTC")
    put(tmp_path, "bo/a1/timestamp.txt", content=b"yesterday\xff")
    ada, bo = (each.hand("a1", 1) for each in collect(tmp_path, "a1")[0])
    assert ada.submitted == datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert bo.submitted is None
    assert bo.flags == ("The file timestamp.txt holds no date; it was ignored.",)


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2026-11-20 12:00:00.000000 UTC", 12),
        ("2026-11-20 12:00:00", 12),
        ("2026-11-20 12:00:00.000000 CET", 11),
        ("2026-11-20 12:00:00.000000 +0100", 11),
        ("2026-11-20 12:00 +01:00", 11),
        ("2026-11-20T12:00:00-05:00", 17),
    ],
)
def test_a_time_stamp_may_name_its_zone(tmp_path: Path, text: str, hour: int) -> None:
    put(tmp_path, "ada/a1/a1.ipynb")
    put(tmp_path, "ada/a1/timestamp.txt", content=text.encode())
    (ada,), _ = collect(tmp_path, "a1")
    assert ada.hand("a1", 1).submitted == datetime(2026, 11, 20, hour, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "1:11111111111111111111111111111", "9999-12-31 23:00 -23:00", "\x00", "1e999"])
def test_any_time_stamp_leaves_a_submission(tmp_path: Path, text: str) -> None:
    put(tmp_path, "ada/a1/a1.ipynb")
    put(tmp_path, "ada/a1/timestamp.txt", content=text.encode())
    (ada,), _ = collect(tmp_path, "a1")
    assert ada.hand("a1", 1).submitted is None


@pytest.mark.parametrize(
    "folder", ["Ada_1_assignsubmission_file_", "Ada_1_assignsubmission_file_/a1", "Ada", "Ada/a1/more"]
)
def test_a_time_stamp_that_a_student_handed_in_is_not_believed(tmp_path: Path, folder: str) -> None:
    put(tmp_path, f"{folder}/a1.ipynb" if "more" not in folder else "Ada/a1/a1.ipynb")
    put(tmp_path, f"{folder}/timestamp.txt", content=b"1999-01-01 00:00:00 UTC")
    (ada,), _ = collect(tmp_path, "a1")
    handed = ada.hand("a1", 1)
    assert handed.submitted is None
    assert handed.flags == ("A file timestamp.txt was handed in; it was not believed.",) or "more" in folder


def test_a_hard_link_is_read_and_flagged(tmp_path: Path) -> None:
    root = put(tmp_path / "class", "ada/a1/a1.ipynb", "bo/a1/x.txt")
    (root / "bo/a1/a1.ipynb").hardlink_to(put(tmp_path, "other.ipynb") / "other.ipynb")
    ada, bo = (each.hand("a1", 1) for each in collect(root, "a1")[0])
    assert ada.flags == ()
    assert bo.flags == ("The file has other names on this disk (hard links): see where it comes from.",)


@pytest.mark.parametrize("pack", [False, True])
def test_a_flood_of_files_hides_nobodys_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: bool) -> None:
    monkeypatch.setattr("autograder.collect.MAX_FILES", 50)
    monkeypatch.setattr("autograder.collect.MAX_ENTRIES", 60)
    files = [f"mallory/a1/{number}.txt" for number in range(200)]
    files += [f"mallory/a1/deep/{number}.txt" for number in range(200)]
    root = put(tmp_path / "class", "ada/a1/a1.ipynb", *files, "mallory/a1/a1.ipynb")
    if pack:
        root = zipped(tmp_path / "class.zip", dict.fromkeys(("ada/a1/a1.ipynb", *files, "mallory/a1/a1.ipynb"), b"{}"))
    ada, mallory = (each.hand("a1", 1) for each in collect(root, "a1")[0])
    assert (ada.problem, mallory.problem) == ("", "")
    assert (ada.flags, len(mallory.flags)) == ((), 1)
    with pytest.raises(InstructorError, match="more than 60 files"):
        collect(put(tmp_path / "flat", *(f"{number}.ipynb" for number in range(61))), "a1")


def test_names_of_folders_can_be_printed(tmp_path: Path) -> None:
    put(tmp_path, "ada/a1/a1.ipynb")
    put(tmp_path, "\x1b]0;title\x07\x1b[31mred\udcff/a2/a2.ipynb")
    assert collect(tmp_path, "a1")[1] == ["red\ufffd"]


@pytest.mark.parametrize("name", ["missing", "file.txt", "empty", "nothing"])
def test_a_source_without_submissions_is_refused_with_a_cure(tmp_path: Path, name: str) -> None:
    (tmp_path / "file.txt").write_text("x")
    (tmp_path / "empty").mkdir()
    put(tmp_path / "nothing", "ada/a2/a2.ipynb")
    with pytest.raises(InstructorError, match=r"--submissions|I look for"):
        collect(tmp_path / name, "a1")
