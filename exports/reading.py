"""An exported file as lines that can be logged again: Parquet as JSON Lines, pictures of a tar back inside.

    python -m exports.reading FILE > records.jsonl
    python manage.py import_interactions records.jsonl --project KEY

Takes .parquet, .jsonl and .tar files of exports; knows no Django and no database.
"""

import base64
import json
import re
import sys
import tarfile

from exports import parquet
from exports.lines import one_line

TYPES = {"png": "image/png", "jpg": "image/jpeg", "gif": "image/gif", "webp": "image/webp"}
OURS = re.compile(r"pictures/[0-9a-f]{64}\.(\w+)")  # an address of somebody else's may begin with pictures/ too


def records(path):
    """The records of an exported file, as the door takes them; ValueError for what is none."""
    if tarfile.is_tarfile(path):
        with tarfile.open(path) as tar:
            yield from _of_tar(tar)
    elif path.endswith(".parquet"):
        yield from parquet.records(path)
    else:
        with open(path, "rb") as file:
            yield from map(json.loads, file)


def _of_tar(tar):
    members = {member.name: member for member in tar}
    name = next((name for name in ("interactions.parquet", "interactions.jsonl") if name in members), None)
    if name is None:
        raise ValueError("There is neither interactions.jsonl nor interactions.parquet in the tar.")
    file = tar.extractfile(members[name])
    for record in parquet.records(file) if name.endswith(".parquet") else map(json.loads, file):
        for message in record.get("messages") or ():
            for part in message["content"] if isinstance(message.get("content"), list) else ():
                _put_inside(part, tar, members)
        yield record


def _put_inside(part, tar, members):
    """Give a picture's part its data URI in the place of the file's name."""
    image = part.get("image_url")
    url = image.get("url") if isinstance(image, dict) else image
    name, _, head = url.partition("#") if isinstance(url, str) else ("", "", "")
    if not (ours := OURS.fullmatch(name)):
        return
    if name not in members:
        raise ValueError(f"The picture {name} is not in the tar.")
    head = head or f"data:{TYPES[ours[1]]};base64"
    url = f"{head},{base64.b64encode(tar.extractfile(members[name]).read()).decode()}"
    part["image_url"] = {**image, "url": url} if isinstance(image, dict) else url


def main(path):
    for record in records(path):
        sys.stdout.write(one_line(json.dumps(record, ensure_ascii=False, separators=(",", ":"))) + "\n")


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    main(sys.argv[1])
