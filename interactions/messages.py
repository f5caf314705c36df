"""Stored messages read back: pictures as our own addresses or as the data URIs sent, the calls of tools that a
completion is, and the whole payload."""

from interactions.jsontext import JSONError, loads
from interactions.models import Blob, BlobContent
from interactions.pictures import give_back, reference


def image_urls(messages):
    """Every stored or remote address in the messages, in order."""
    return [
        image["url"] if isinstance(image := part["image_url"], dict) else image
        for message in messages
        if isinstance(message.get("content"), list)
        for part in message["content"]
        if part.get("type") == "image_url"
    ]


def pictures_of(messages_list):
    """The sha256 of every stored picture in these lists of messages."""
    urls = (url for messages in messages_list for url in image_urls(messages))
    return {found[0] for url in urls if (found := reference(url))}


def replace_images(messages, replace):
    """The messages with every address passed through `replace(url)`; what is not a picture stays as it is."""
    return [_replace_in(message, replace) for message in messages]


def _replace_in(message, replace):
    content = message.get("content")
    if not isinstance(content, list):
        return message
    parts = []
    for part in content:
        if part.get("type") == "image_url":
            image = part["image_url"]
            url = {**image, "url": replace(image["url"])} if isinstance(image, dict) else replace(image)
            part = {**part, "image_url": url}
        parts.append(part)
    return {**message, "content": parts}


def with_addresses(messages, address):
    """The messages with each stored picture's address from `address(sha256)`."""

    def ours(url):
        found = reference(url)
        return address(found[0]) if found else url

    return replace_images(messages, ours)


def with_data(messages_list):
    """These lists of messages with the data URIs exactly as they were sent; reads all pictures in one query."""
    contents = BlobContent.objects.in_bulk(pictures_of(messages_list))

    def data(url):
        found = reference(url)
        return give_back(found[1], bytes(contents[found[0]].content)) if found else url

    return [replace_images(messages, data) for messages in messages_list]


def blobs_of(project, messages):
    """{sha256: Blob} of the pictures in the messages: media type and size in bytes and pixels, without the bytes."""
    wanted = pictures_of([messages])
    blobs = Blob.objects.filter(project=project, content__in=wanted) if wanted else ()
    return {blob.content_id: blob for blob in blobs}


def payload_of(body):
    """The record exactly as it was received (without its project), from a stored body."""
    [messages] = with_data([body.messages])
    return payload_with(body, messages)


def payload_with(body, messages):
    """The same with these messages in the place of the stored ones: their pictures were put elsewhere."""
    payload = dict(body.envelope)
    if payload.get("prompt"):
        payload["prompt"] = messages[0]["content"]
    else:
        payload["messages"] = messages
    return {**payload, "completion": body.completion}


def calls_of(body):
    """The calls of tools that came with the completion of a stored body, as the gateway keeps them in the metadata
    (docs/gateway.md); none where what stands there is something else."""
    metadata = body.envelope.get("metadata")
    calls = metadata.get("tool_calls") if isinstance(metadata, dict) else None
    is_sound = isinstance(calls, list) and all(
        isinstance(call, dict) and isinstance(call.get("function"), dict) and _is_name(call["function"].get("name"))
        for call in calls
    )
    return calls if is_sound else []


def _is_name(value):
    return isinstance(value, str) and value != ""


def is_calls(completion, calls):
    """Whether the completion says nothing but these calls: nothing at all, or they stand in it as JSON."""
    if not completion:
        return True
    try:
        return loads(completion) == calls
    except JSONError:
        return False
