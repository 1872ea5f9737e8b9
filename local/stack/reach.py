"""Folders that another user can reach.

As root, PostgreSQL must run as another user, who cannot enter a folder such as /root. Then its binaries are
copied to, and its data kept in, a folder under /var/tmp; a link in the project's folder shows where.
"""

import hashlib
import os
import pwd
import shutil
import stat
import tempfile
from collections.abc import Iterable
from pathlib import Path

from local.stack.errors import EmbeddedStackError

OUTSIDE = Path("/var/tmp/coruscant-embedded")


def can_reach(path: Path, user: str) -> bool:
    """Return whether `user`, member of no further group, may pass through every folder down to `path`."""
    entry = pwd.getpwnam(user)
    for folder in [path, *path.parents]:
        if not folder.exists():
            continue
        status = folder.stat()
        if status.st_uid == entry.pw_uid:
            needed = stat.S_IXUSR
        elif status.st_gid == entry.pw_gid:
            needed = stat.S_IXGRP
        else:
            needed = stat.S_IXOTH
        if not status.st_mode & needed:
            return False
    return True


def reachable_folder(folder: Path, user: str) -> Path:
    """Return `folder`, or the folder outside the project that stands in for it, linked from `folder`."""
    if folder.is_symlink():
        return folder.resolve()
    if can_reach(folder.parent, user):
        return folder
    name = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    place = outside() / f"data-{name}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.symlink_to(place)
    return place


def reachable_copy(folder: Path, parts: Iterable[str], name: str, user: str) -> Path:
    """Return `folder` if `user` can reach it, else a copy of these parts of it outside the project, made once."""
    if can_reach(folder, user):
        return folder
    copy = outside() / name
    if not copy.exists():
        unfinished = Path(tempfile.mkdtemp(dir=outside(), prefix=f"{name}."))
        unfinished.chmod(0o755)
        for part in filter(lambda part: (folder / part).exists(), parts):
            shutil.copytree(folder / part, unfinished / part, symlinks=True)
        try:
            unfinished.rename(copy)
        except OSError:  # another process was faster
            shutil.rmtree(unfinished)
    return copy


def outside() -> Path:
    """Return the folder for what must lie outside the project; nobody but this user may have made it."""
    OUTSIDE.mkdir(mode=0o755, exist_ok=True)
    status = OUTSIDE.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise EmbeddedStackError(f"{OUTSIDE} belongs to another user: remove it, or run as an ordinary user.")
    return OUTSIDE
