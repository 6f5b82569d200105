"""Folders are walked in natural order; what is passed over is counted; nothing that loops is walked twice."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncheck.errors import UncheckError
from uncheck.signals.folders import expand, list_files, natural

ENDINGS = (".png", ".wav")


def make(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return folder


def walked(folder, **options):
    found = list_files([folder], ENDINGS, **options)
    return [os.path.relpath(name, folder) for name in found.files], dict(found.skipped)


def test_dated_subfolders_in_natural_order(tmp_path):
    make(
        tmp_path,
        "10.png",
        "2.PNG",
        "2026-11-30/b.png",
        "2026-11-30/a10.wav",
        "2026-11-30/a9.wav",
        "2026-9-1/x/y.png",
    )
    assert walked(tmp_path) == (
        [
            "2.PNG",
            "10.png",
            "2026-9-1/x/y.png",
            "2026-11-30/a9.wav",
            "2026-11-30/a10.wav",
            "2026-11-30/b.png",
        ],
        {},
    )
    assert walked(tmp_path, recurse=False) == (["2.PNG", "10.png"], {"folders": 2})
    assert expand([tmp_path]) == [f"{tmp_path}/2.PNG", f"{tmp_path}/10.png"]
    assert expand([f"{tmp_path}/*.[pP][nN][gG]"]) == [f"{tmp_path}/2.PNG", f"{tmp_path}/10.png"]


def test_what_is_passed_over_is_counted(tmp_path):
    make(
        tmp_path,
        "a.png",
        "notes.txt",
        "sub/workflow.json",
        ".a.png",
        ".git/c.png",
        "sub/b.png",
        "maps/a-map.png",
    )
    assert walked(tmp_path, without=[tmp_path / "maps"]) == (
        ["a.png", "sub/b.png"],
        {"files": 2, "hidden": 2, "links": 1},
    )
    assert list_files([tmp_path / "notes.txt"], ENDINGS).files == [f"{tmp_path}/notes.txt"]  # named: kept


def test_links_and_loops_end(tmp_path):
    make(tmp_path, "a.png", "in/b.png")
    (tmp_path / "in" / "up").symlink_to(tmp_path)
    (tmp_path / "in" / "self").symlink_to("self")
    (tmp_path / "again").symlink_to("in")
    (tmp_path / "c.png").symlink_to("a.png")
    (tmp_path / "gone.png").symlink_to("nowhere")
    names, skipped = walked(tmp_path)
    assert names == ["a.png", "c.png", "gone.png", "in/b.png"]
    assert skipped == {"links": 2, "files": 1}
    assert walked(tmp_path / "again")[0] == ["b.png"]  # a link that is named is followed


def test_a_deep_tree_and_many_files(tmp_path):
    deep = tmp_path
    for _ in range(200):
        deep = deep / "d"
    make(deep, "a.png")
    assert len(walked(tmp_path)[0]) == 1
    make(tmp_path / "many", *(f"{i}.png" for i in range(300)))
    assert walked(tmp_path / "many")[0] == [f"{i}.png" for i in range(300)]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open every folder")
def test_a_folder_that_cannot_be_opened(tmp_path):
    make(tmp_path, "a.png", "in/b.png")
    (tmp_path / "in").chmod(0)
    assert walked(tmp_path) == (["a.png"], {"closed": 1})
    with pytest.raises(UncheckError, match=r"in: cannot be opened \(Permission denied\); check it"):
        walked(tmp_path / "in")


def test_a_folder_without_pictures(tmp_path):
    make(tmp_path, "notes.txt", "in/b.png")
    with pytest.raises(
        UncheckError, match=r"in this folder; it must hold .*; its subfolders were not looked at$"
    ):
        walked(tmp_path, recurse=False)
    with pytest.raises(UncheckError, match=r"no pictures in this folder; it must hold \.png, \.wav$"):
        walked(make(tmp_path / "bare", "a.txt"))


@given(st.lists(st.text(max_size=6), max_size=6))
def test_the_natural_order_is_an_order(names):
    assert sorted(names, key=natural) == sorted(sorted(names, reverse=True), key=natural)


@given(st.lists(st.integers(0, 10**9), max_size=8))
def test_numbers_are_ordered_by_value(numbers):
    names = [f"img{n}.png" for n in numbers]
    assert sorted(names, key=natural) == [f"img{n}.png" for n in sorted(numbers)]
