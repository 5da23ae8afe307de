"""Where the files of a published encoder lie: in a folder, in motifmix's own folder, in the hub's cache, or on the hub."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from motifmix.errors import WeightsError
from motifmix.home import home

HUB = "https://huggingface.co"
PATIENCE = 3.0  # seconds that the hub has to answer at all


@dataclass(frozen=True)
class EncoderFiles:
    """Which files an encoder consists of.

    ``needed``: for each the names that it may have, the preferred one first, relative to the folder. ``repository``:
    on the hub, if it is there. ``source``: where a person gets them. ``elsewhere``: for each further names of files that
    its authors publish elsewhere, which are looked for in folders only.
    """

    name: str
    needed: tuple[tuple[str, ...], ...]
    source: str
    repository: str | None = None
    elsewhere: tuple[tuple[str, ...], ...] = ()

    @property
    def folder(self) -> Path:
        """Where motifmix looks for them."""
        return home() / "encoders" / self.name

    def found(self, folder: Path | str | None = None, *, offline: bool = False) -> dict[str, Path]:
        """Return the path of each needed file under its preferred name.

        With ``folder`` only that one is looked at. Otherwise ``self.folder``, the hub's cache, and, unless ``offline``,
        the hub itself, if it answers within three seconds. Raises ``WeightsError`` that names the missing files.
        """
        if folder is not None:
            return self._in_folder(Path(folder))
        if any((self.folder / name).exists() for names in self._names() for name in names):
            return self._in_folder(self.folder)
        if self.repository is None:
            raise self._missing(self.folder, self.needed, "there is no such file yet")
        found: dict[str, Path] = {}
        for names in self.needed:
            path = self._from_hub(names, download=False)
            if path is None and not offline:
                path = self._from_hub(names, download=True) if hub_answers() else None
            if path is None:
                reason = "the hub was not asked (offline)" if offline else "the hub gave no answer"
                raise self._missing(self.folder, self.needed, reason)
            found[names[0]] = path
        return found

    def _names(self) -> list[tuple[str, ...]]:
        """For each file the names that it may have in a folder, the preferred one first."""
        further = (*self.elsewhere, *[()] * len(self.needed))
        return [(*names, *more) for names, more in zip(self.needed, further, strict=False)]

    def _in_folder(self, folder: Path) -> dict[str, Path]:
        missing, found = [], {}
        for names in self._names():
            there = next((folder / name for name in names if (folder / name).is_file()), None)
            if there is None:
                missing.append(names)
            else:
                found[names[0]] = there
        if missing:
            raise self._missing(folder, missing, "not in the folder")
        return found

    def _from_hub(self, names: Sequence[str], *, download: bool) -> Path | None:
        try:
            from huggingface_hub import hf_hub_download
        except ImportError:
            return None
        for name in names:
            try:
                return Path(
                    hf_hub_download(self.repository or "", name, local_files_only=not download, etag_timeout=PATIENCE)
                )
            except (OSError, ValueError):  # the hub's own errors derive from these: absent, unreachable, not cached
                continue
        return None

    def _missing(self, folder: Path, names: Sequence[Sequence[str]], reason: str) -> WeightsError:
        wanted = ", ".join(" or ".join(alternatives) for alternatives in names)
        return WeightsError(
            f"the text encoder {self.name} needs {wanted} ({reason}); fetch it from {self.source} and put it into {folder}"
        )


def hub_answers(patience: float = PATIENCE) -> bool:
    """Return whether the hub answers at all; asking takes no longer than ``patience`` seconds, name service included."""
    answered = threading.Event()

    def ask() -> None:
        from urllib.error import HTTPError
        from urllib.request import Request, urlopen

        try:
            urlopen(Request(HUB, method="HEAD"), timeout=patience).close()
        except HTTPError:
            pass  # it answers, if only with a refusal
        except OSError:
            return
        answered.set()

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(patience)
    return answered.is_set()
