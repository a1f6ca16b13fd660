"""Files are written whole or not at all."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest

from conv_core.models.files import write_whole


def test_text_bytes_and_what_a_function_writes_arrive(tmp_path: Path) -> None:
    text, raw, arrays = tmp_path / "text", tmp_path / "raw", tmp_path / "arrays.npz"

    write_whole(text, "übrig\n")
    write_whole(raw, b"\x00\xff\n")
    write_whole(arrays, lambda file: np.savez(file, a=np.arange(3)))

    assert text.read_bytes() == b"\xc3\xbcbrig\n"
    assert raw.read_bytes() == b"\x00\xff\n"
    assert np.load(arrays)["a"].tolist() == [0, 1, 2]
    assert sorted(tmp_path.iterdir()) == sorted([text, raw, arrays])


@pytest.mark.parametrize("stop", [RuntimeError("in the middle"), KeyboardInterrupt()])
def test_what_was_there_stays_when_writing_ends_in_the_middle(
    tmp_path: Path, stop: BaseException
) -> None:
    path = tmp_path / "kept"
    path.write_text("before")

    def half(file: BinaryIO) -> None:
        file.write(b"aft")
        file.flush()
        raise stop

    with pytest.raises(type(stop)):
        write_whole(path, half)

    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_is_left_where_the_name_is_taken_by_a_folder(tmp_path: Path) -> None:
    (tmp_path / "folder" / "full").mkdir(parents=True)

    with pytest.raises(IsADirectoryError):
        write_whole(tmp_path / "folder", "text")

    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["full"]


def test_a_missing_folder_is_an_error_and_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "missing" / "file", "text")

    assert not list(tmp_path.iterdir())


def test_the_longest_name_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 255)

    write_whole(path, "text")

    assert path.read_text() == "text"


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    target, link = tmp_path / "there" / "target", tmp_path / "link"
    target.write_text("before")
    link.symlink_to(target)

    write_whole(link, "after")

    assert link.is_symlink()
    assert target.read_text() == "after"


def test_a_new_file_may_be_read_by_whom_the_process_says(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("text")

    write_whole(tmp_path / "whole", "text")

    assert (tmp_path / "whole").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_readers_see_one_whole_text_while_two_write(tmp_path: Path) -> None:
    path = tmp_path / "file"
    texts = ["a" * 100_000, "b" * 100_000]
    write_whole(path, texts[0])

    def write(text: str) -> None:
        for _ in range(100):
            write_whole(path, text)

    writers = [threading.Thread(target=write, args=[text]) for text in texts]
    for writer in writers:
        writer.start()
    seen = 0
    while any(writer.is_alive() for writer in writers):
        assert path.read_text() in texts
        seen += 1
    for writer in writers:
        writer.join()

    assert seen > 0
    assert list(tmp_path.iterdir()) == [path]
