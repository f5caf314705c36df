"""Files that outlive a power cut once they are written. The standard library alone: the settings write some too."""

import os


def write(path, text):
    """Put the text there, whole or not at all, for the owner's eyes only."""
    beside = path.with_name(f"{path.name}.new")
    beside.unlink(missing_ok=True)
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        sync(file)
    beside.replace(path)
    sync_folder(path.parent)


def sync(file):
    """What was written to the open file is on the disk."""
    file.flush()
    os.fsync(file.fileno())


def sync_folder(folder):
    """The names of new files in it are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
