"""Files are written whole or not at all, several together; full disks, limits, interruptions, links."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from uncheck.errors import UncheckError
from uncheck.writing import write_file, write_files


def older(folder):
    files = {name: f"older {name}".encode() for name in ("a.json", "b.html")}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return files


def there(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def written(folder, **files):
    write_files({folder / name.replace("_", "."): content for name, content in files.items()})


def test_all_files_are_replaced_and_keep_their_permissions(tmp_path):
    older(tmp_path)
    (tmp_path / "a.json").chmod(0o600)
    written(tmp_path, a_json=b"1", b_html=b"2", c=b"3")
    assert there(tmp_path) == {"a.json": b"1", "b.html": b"2", "c": b"3"}
    assert (tmp_path / "a.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_new_files_respect_the_umask(tmp_path, mask):
    before = os.umask(mask)
    try:
        write_file(tmp_path / "new", b"1")
    finally:
        os.umask(before)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o666 & ~mask


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_a_write_that_fails_leaves_the_older_files(tmp_path, monkeypatch, error):
    before, calls, real = older(tmp_path), [], os.fsync

    def full(handle):
        calls.append(handle)
        if len(calls) == 2:
            raise error
        real(handle)

    monkeypatch.setattr(os, "fsync", full)
    expected = UncheckError if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(expected) as raised:
        written(tmp_path, a_json=b"1", b_html=b"2", c=b"3")
    if expected is UncheckError:
        assert "No space left on device), and what was there is as it was; make room" in str(raised.value)
    assert there(tmp_path) == before


def test_a_folder_in_the_place_of_one_leaves_all_as_they_were(tmp_path):
    before = older(tmp_path)
    (tmp_path / "c").mkdir()
    with pytest.raises(UncheckError, match=r"\(Is a directory\), and what was there is as it was"):
        written(tmp_path, a_json=b"1", b_html=b"2", c=b"3")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before


def test_a_rename_that_fails_half_way_says_what_is_new(tmp_path, monkeypatch):
    older(tmp_path)
    real = Path.replace

    def fails(path, target):
        if target.name == "b.html":
            raise OSError(errno.EIO, "Input/output error")
        return real(path, target)

    monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(UncheckError, match=r"only a.json is new"):
        written(tmp_path, a_json=b"1", b_html=b"2")
    assert there(tmp_path) == {"a.json": b"1", "b.html": b"older b.html"}


def test_an_interruption_leaves_the_older_file(tmp_path, monkeypatch):
    before = older(tmp_path)

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_file(tmp_path / "a.json", b"newer")
    assert there(tmp_path) == before


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real.txt").write_bytes(b"1")
    (tmp_path / "link.txt").symlink_to("real.txt")
    write_file(tmp_path / "link.txt", b"2")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_bytes() == b"2"


def test_a_device_is_written_to_and_not_replaced():
    write_file(Path(os.devnull), b"1")
    assert not Path(os.devnull).is_file()


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(UncheckError, match=r"gone.x\.txt cannot be written \(No such file or directory\)"):
        write_file(tmp_path / "gone" / "x.txt", b"")


LIMITED = """
import resource, signal, sys
from pathlib import Path
from uncheck.errors import UncheckError
from uncheck.writing import write_files
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
folder = Path(sys.argv[1])
try:
    write_files({folder / "a.json": b"1", folder / "b.html": b"2" * 60_000})
except UncheckError as error:
    print(error)
"""


def test_a_real_limit_on_file_size(tmp_path):
    before = older(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, tmp_path], capture_output=True, text=True, timeout=120, check=True
    )
    assert "File too large), and what was there is as it was" in done.stdout
    assert there(tmp_path) == before


def test_a_disk_that_is_really_full(tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this user may not mount a small disk")
    try:
        before = older(small)
        with pytest.raises(UncheckError, match="No space left on device"):
            written(small, a_json=b"1", b_html=b"2" * 100_000)
        assert there(small) == before
        written(small, a_json=b"1")
        assert there(small) == before | {"a.json": b"1"}
    finally:
        subprocess.run(["umount", small], check=True)
