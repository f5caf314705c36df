"""What becomes of stored pictures in a file: inside as they were sent, files beside it, links, or gone.

Pictures are read in groups of a few MB, however many and large an interaction's are of a slice.
"""

import os

from exports.models import Pictures
from interactions.messages import pictures_of, replace_images
from interactions.models import Blob, BlobContent, InteractionBody
from interactions.pictures import FORMATS, give_back, reference

GROUP = 8 * 1024 * 1024  # bytes of pictures that are held at once; one picture may be larger
FOLDER = "pictures"
_ENDINGS = {"PNG": "png", "JPEG": "jpg", "GIF": "gif", "WEBP": "webp"}
_TYPES = {"png": "image/png", "jpg": "image/jpeg", "gif": "image/gif", "webp": "image/webp"}


class Placing:
    """Puts pictures where `how` (one of Pictures) says. `folder` takes the files, `address(sha256)` is a link; where
    there is no address, what is left out leaves no part behind."""

    def __init__(self, how, *, folder=None, address=None):
        self.how, self.folder, self.address = how, folder, address

    def bodies(self, project, rows):
        """(row, its InteractionBody, its messages with the pictures placed) of each row that has a body."""
        found = InteractionBody.objects.in_bulk([row.pk for row in rows])
        there = [(row, found[row.pk]) for row in rows if row.pk in found]
        for group, wanted in self._groups(project, there):
            contents = dict(BlobContent.objects.filter(pk__in=wanted).values_list("sha256", "content"))
            self._write(contents)
            for row, body in group:
                yield row, body, self._placed(body.messages, contents)

    def _groups(self, project, there):
        """([(row, body)], the SHA-256s to be read for them): so many at once as their pictures allow."""
        shown = {row.pk: self._unread(pictures_of([body.messages])) if row.images else set() for row, body in there}
        named = {one for ones in shown.values() for one in ones}
        sizes = dict(Blob.objects.filter(project=project, content__in=named).values_list("content", "size"))
        group, wanted, held = [], set(), 0
        for row, body in there:
            more = shown[row.pk] - wanted
            weight = sum(sizes.get(one, 0) for one in more)
            if group and held + weight > GROUP:
                yield group, wanted
                group, wanted, held = [], set(), 0
                more, weight = shown[row.pk], sum(sizes.get(one, 0) for one in shown[row.pk])
            group.append((row, body))
            wanted |= more
            held += weight
        if group:
            yield group, wanted

    def _unread(self, names):
        """Those whose bytes are needed."""
        if self.how == Pictures.INSIDE:
            return names
        if self.how == Pictures.FILES:
            return {one for one in names if not _place(self.folder, one).exists()}
        return set()

    def _write(self, contents):
        if self.how != Pictures.FILES:
            return
        for sha256, content in contents.items():
            path = _place(self.folder, sha256)
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(".part")
            part.write_bytes(content)
            os.replace(part, path)

    def _placed(self, messages, contents):
        if self.how == Pictures.LEFT_OUT and self.address is None:
            return [_without_pictures(message) for message in messages]
        return replace_images(messages, lambda url: self._url(url, contents))

    def _url(self, url, contents):
        found = reference(url)
        if found is None:
            return url
        sha256, head = found
        if self.how == Pictures.LEFT_OUT:
            return self.address(sha256)
        if self.how == Pictures.FILES:
            return file_url(sha256, head)
        return give_back(head, bytes(contents[sha256]))


def file_url(sha256, head):
    """The address of a picture's file within the tar; a head of its data URI that its ending does not tell comes
    behind a #, so that what was sent can be put together again."""
    ending = _ENDINGS[FORMATS[head[len("data:") :].partition(";")[0].strip().lower()]]
    name = f"{FOLDER}/{sha256}.{ending}"
    return name if head == f"data:{_TYPES[ending]};base64" else f"{name}#{head}"


def files_in(folder):
    """(name within the tar, path) of each picture, in the order of their names."""
    for shelf in sorted(folder.iterdir()) if folder.exists() else ():
        for path in sorted(shelf.iterdir()):
            if path.suffix != ".part":
                yield f"{FOLDER}/{path.name}.{_ending_of(path)}", path


def _ending_of(path):
    """By its first bytes: pictures were checked when they came."""
    with open(path, "rb") as file:
        start = file.read(4)
    return {b"\x89PNG": "png", b"GIF8": "gif", b"RIFF": "webp"}.get(start, "jpg")


def _place(folder, sha256):
    return folder / sha256[:2] / sha256


def _without_pictures(message):
    content = message.get("content")
    if not isinstance(content, list):
        return message
    parts = [part for part in content if not (part.get("type") == "image_url" and reference(_address_of(part)))]
    return {**message, "content": parts or ""}


def _address_of(part):
    image = part["image_url"]
    return image["url"] if isinstance(image, dict) else image
