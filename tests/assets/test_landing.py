"""Files in a directory in which people edit: what they changed is theirs, and nothing is half written."""

from __future__ import annotations

from pathlib import Path

import pytest

from exporter.assets.landing import RECORD, Landed, land

FILES = {"prometheus.yml": "a: 1\n", "rules/thresholds.yml": "b: 1\n"}
NEWER = {**FILES, "rules/thresholds.yml": "b: 2\n"}
EDITED = "b: 7\n"


def actions(landed: list[Landed]) -> dict[str, str]:
    """Path -> what became of it."""
    return {it.path: it.action for it in landed}


def content(directory: Path) -> dict[str, str]:
    """Every file below the directory, without the record."""
    paths = (path for path in directory.rglob("*") if path.is_file() and path.name != RECORD)
    return {path.relative_to(directory).as_posix(): path.read_text() for path in paths}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory into which `FILES` were brought."""
    land(tmp_path / "tidemark", FILES, force=False)
    return tmp_path / "tidemark"


@pytest.fixture
def edited(directory: Path) -> Path:
    """The same, with thresholds that somebody edited."""
    (directory / "rules" / "thresholds.yml").write_text(EDITED)
    return directory


def test_a_new_directory_gets_everything(tmp_path: Path) -> None:
    """Directories are made, and only the record is there besides."""
    landed = land(tmp_path / "deep" / "tidemark", FILES, force=False)
    assert actions(landed) == dict.fromkeys(FILES, "written")
    assert content(tmp_path / "deep" / "tidemark") == FILES


def test_a_second_run_changes_nothing(directory: Path) -> None:
    """The same files again are told to be unchanged."""
    assert actions(land(directory, FILES, force=False)) == dict.fromkeys(FILES, "unchanged")
    assert content(directory) == FILES


def test_what_nobody_edited_is_updated(directory: Path) -> None:
    """A newer version replaces the file that was written last."""
    assert actions(land(directory, NEWER, force=False)) == {
        "prometheus.yml": "unchanged",
        "rules/thresholds.yml": "updated",
    }
    assert content(directory) == NEWER


def test_an_edited_file_stays(edited: Path) -> None:
    """As long as there is nothing new, the edit is kept and nothing is put beside it."""
    assert actions(land(edited, FILES, force=False))["rules/thresholds.yml"] == "kept"
    assert content(edited) == {**FILES, "rules/thresholds.yml": EDITED}


def test_the_new_one_of_an_edited_file_is_put_beside_it(edited: Path) -> None:
    """Once, for the person to merge; what Prometheus loads does not change."""
    assert actions(land(edited, NEWER, force=False))["rules/thresholds.yml"] == "beside"
    there = {**FILES, "rules/thresholds.yml": EDITED, "rules/thresholds.yml.new": "b: 2\n"}
    assert content(edited) == there
    assert actions(land(edited, NEWER, force=False))["rules/thresholds.yml"] == "kept"
    assert content(edited) == there


def test_what_was_taken_over_is_cleaned_away(edited: Path) -> None:
    """A file that equals the new one needs no copy beside it."""
    land(edited, NEWER, force=False)
    (edited / "rules" / "thresholds.yml").write_text("b: 2\n")
    assert actions(land(edited, NEWER, force=False))["rules/thresholds.yml"] == "unchanged"
    assert content(edited) == NEWER


def test_force_replaces_edits(edited: Path) -> None:
    """The one way in which an edit is lost."""
    assert actions(land(edited, FILES, force=True))["rules/thresholds.yml"] == "updated"
    assert content(edited) == FILES


def test_files_of_others_are_never_taken_for_ours(tmp_path: Path) -> None:
    """Where the record is missing or damaged, a file that differs counts as edited."""
    (tmp_path / "prometheus.yml").write_text("mine\n")
    (tmp_path / RECORD).write_text("[")
    assert actions(land(tmp_path, FILES, force=False))["prometheus.yml"] == "beside"
    assert (tmp_path / "prometheus.yml").read_text() == "mine\n"


def test_what_is_no_longer_shipped_goes_unless_it_was_edited(edited: Path) -> None:
    """A rule file that stayed would fire its alerts twice; one with edits is left, and told."""
    assert actions(land(edited, {"new.yml": "c\n"}, force=False)) == {
        "new.yml": "written",
        "prometheus.yml": "removed",
        "rules/thresholds.yml": "left",
    }
    assert content(edited) == {"new.yml": "c\n", "rules/thresholds.yml": EDITED}


def test_a_path_that_cannot_be_written_changes_nothing(directory: Path) -> None:
    """All or none: the files stay as they were, and no leftovers of the attempt remain."""
    (directory / "z.yml").mkdir()
    with pytest.raises(IsADirectoryError):
        land(directory, {**NEWER, "z.yml": "c\n"}, force=False)
    assert content(directory) == FILES
    assert sorted(it.name for it in directory.iterdir()) == [RECORD, "prometheus.yml", "rules", "z.yml"]
