"""A dataset as people have it: the archive, or the folder that it unpacks to. Read in one pass, member by member."""

import hashlib
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path, PurePosixPath

from motifmix.errors import DataError

MOST_BYTES = 1 << 30  # of one file: a zip may claim to hold any amount


class Source:
    """Names and bytes of the files of a dataset; paths are relative to the dataset's top folder.

    ``marker`` is a path that every copy of the dataset has; it says where the top folder is, so that the folder
    itself, one above it, or an archive with or without a top folder all do. ``order`` is the order in which they lie.
    """

    def __init__(self, path: Path, marker: str, what: str) -> None:
        self.path = Path(path)
        self.what = what
        if not self.path.exists():
            raise DataError(f"{self.path}: there is no such file or folder; give the {what} archive or its folder")
        self._archive = self.path.is_file()
        self._zipped = self._archive and zipfile.is_zipfile(self.path)
        try:
            members = self._archive_members() if self._archive else self._folder_members()
        except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError) as error:
            raise DataError(
                f"{self.path}: not a readable tar or zip archive ({error}); give the {what} archive or the folder it unpacks to"
            ) from error
        tops = [name[: -len(marker)] for name in members if name == marker or name.endswith("/" + marker)]
        if not tops:
            raise DataError(
                f"{self.path}: this is not the {what} (no {marker} inside); give its archive or the folder it unpacks to"
            )
        self._top = min(tops, key=len)
        self.order = tuple(name[len(self._top) :] for name in members if name.startswith(self._top))
        self.names = tuple(sorted(self.order))

    def read_all(self, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
        """Yield (name, bytes) of the files whose name is wanted, in the order in which they lie."""
        if not self._archive:
            for name in self.order:
                if wanted(name):
                    yield name, (self.path / (self._top + name)).read_bytes()
            return
        if self._zipped:
            yield from self._read_zip(wanted)
            return
        with tarfile.open(self.path, "r|*") as archive:
            for member in archive:
                name = _clean(member.name)
                if not member.isfile() or not name.startswith(self._top) or not wanted(name[len(self._top) :]):
                    continue
                stream = archive.extractfile(member)
                if stream is not None:
                    yield name[len(self._top) :], stream.read()

    @cached_property
    def sha256(self) -> str:
        """The archive's hash; for a folder, the hash of the names and sizes of its files."""
        digest = hashlib.sha256()
        if self._archive:
            with self.path.open("rb") as file:
                while block := file.read(1 << 20):
                    digest.update(block)
        else:
            for name in self.names:
                digest.update(f"{name} {(self.path / (self._top + name)).stat().st_size}\n".encode())
        return digest.hexdigest()

    @property
    def is_archive(self) -> bool:
        """Whether the source is one file."""
        return self._archive

    def _read_zip(self, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
        with zipfile.ZipFile(self.path) as archive:
            for member in archive.infolist():
                name = _clean(member.filename)
                if member.is_dir() or not name.startswith(self._top) or not wanted(name[len(self._top) :]):
                    continue
                try:
                    with archive.open(member) as stream:
                        data = stream.read(MOST_BYTES + 1)
                except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError) as error:
                    raise DataError(f"{self.path}: {name} cannot be unpacked ({error}); take a fresh copy") from error
                if len(data) > MOST_BYTES:
                    raise DataError(f"{self.path}: {name} is larger than {MOST_BYTES >> 30} GB; take a fresh copy")
                yield name[len(self._top) :], data

    def _archive_members(self) -> list[str]:
        if self._zipped:
            with zipfile.ZipFile(self.path) as archive:
                return [_clean(member.filename) for member in archive.infolist() if not member.is_dir()]
        with tarfile.open(self.path, "r|*") as archive:
            return [_clean(member.name) for member in archive if member.isfile()]

    def _folder_members(self) -> list[str]:
        return sorted(p.relative_to(self.path).as_posix() for p in self.path.rglob("*") if p.is_file())


def _clean(name: str) -> str:
    return str(PurePosixPath(name))
