"""Motion files: ``read(path)`` and ``write(path, scene)`` by suffix, one module a format."""

import errno
import os
import stat
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from motifmix.errors import FileError
from motifmix.motion.motion import Motion, Scene

__all__ = ["READERS", "WRITERS", "read", "write"]

# suffix: (module, function); the modules are imported when a file of theirs is touched.
READERS = {".bvh": ("bvh", "read_bvh"), ".npz": ("npz", "read_npz")}
WRITERS = {
    ".bvh": ("bvh", "write_bvh"),
    ".npz": ("npz", "write_npz"),
    ".glb": ("gltf", "write_glb"),
    ".mp4": ("media", "write_media"),
    ".gif": ("media", "write_media"),
}


def read(
    path: Path | str,
    *,
    up: Literal["y", "z"] | None = None,
    units: str | float | None = None,
) -> Scene:
    """Read a motion file; ``up`` and ``units`` overrule what would be recognised, where a format leaves them open.

    Raises ``FileError`` for a missing or unreadable file or an unknown suffix, ``ParseError`` for a broken one.
    """
    path = Path(path)
    module, function = _format(path, READERS, "read")
    _check_is_file(path)
    options = {"up": up, "units": units} if path.suffix.lower() == ".bvh" else {}
    return getattr(import_module(f"motifmix.files.{module}"), function)(path, **options)


def write(path: Path | str, scene: Scene | Motion, **options: Any) -> tuple[Path, ...]:
    """Write a motion file and return the paths written; ``options`` are those of the format's own function.

    Raises ``FileError`` for an unknown suffix, an existing file (unless ``force=True``) or an unwritable folder.
    """
    path = Path(path)
    module, function = _format(path, WRITERS, "written")
    scene = Scene((scene,)) if isinstance(scene, Motion) else scene
    return getattr(import_module(f"motifmix.files.{module}"), function)(path, scene, **options)


def _check_is_file(path: Path) -> None:
    """Raise ``FileError`` that says what stands where a file should; a pipe is refused, as reading it may never end."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        there = "is a link to a file that does not exist" if path.is_symlink() else "there is no such file"
        raise FileError(f"{path}: {there}") from None
    except OSError as error:
        loops = error.errno == errno.ELOOP
        why = "is a link that leads back to itself" if loops else f"cannot be read ({error.strerror or error})"
        raise FileError(f"{path}: {why}") from None
    except ValueError:
        raise FileError(f"{path!s:.200}: no file can have this name") from None
    if stat.S_ISDIR(mode):
        raise FileError(f"{path}: is a folder; name a file in it")
    if not stat.S_ISREG(mode):
        raise FileError(f"{path}: is a pipe or a device, not a file; save what it gives as a file first")


def _format(path: Path, known: dict[str, tuple[str, str]], verb: str) -> tuple[str, str]:
    suffix = path.suffix.lower()
    if suffix not in known:
        shown = f"'{path.suffix}'" if path.suffix else "no suffix"
        raise FileError(f"{path} has {shown}; motion can be {verb} as {', '.join(known)}")
    return known[suffix]
