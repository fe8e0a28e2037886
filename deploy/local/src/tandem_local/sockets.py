"""Folders for Unix sockets: closed to others, and short enough for the kernel."""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

PATH_BYTES_MAX = 107


def socket_folder(folder: Path, longest_name: str, user: str | None = None) -> Path:
    """Return `folder`/socket, or a folder in the temporary one if that path is too long; it is there afterwards."""
    place = folder / "socket"
    if _too_long(place / longest_name):
        digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
        place = Path(tempfile.gettempdir()) / f"tandem-{os.geteuid()}-{digest}"
    if _too_long(place / longest_name):
        place = Path("/tmp") / place.name  # noqa: S108 - its owner is checked below
    place.mkdir(mode=0o700, exist_ok=True)
    if user is not None:
        shutil.chown(place, user, user)
    elif place.is_symlink() or place.stat().st_uid != os.geteuid():
        raise RuntimeError(f"{place} belongs to somebody else; no socket can go there.")
    place.chmod(0o700)
    return place


def _too_long(path: Path) -> bool:
    return len(os.fsencode(path)) > PATH_BYTES_MAX
