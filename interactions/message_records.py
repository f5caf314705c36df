"""The messages of a record as they come in: checked whole, counted, their pictures taken out. Pure Python.

A part of the one pass over a record (records.py), which is the writers' hot path.
"""

from interactions.pictures import REFERENCE, PictureError, Taking
from interactions.rules import MAX_TEXT, kind_of

ROLES = {"system", "developer", "user", "assistant", "tool", "function"}


def shows_pictures(raw):
    """Whether what was sent has parts that are pictures: reading those is work that no stranger should get done."""
    messages = raw.get("messages") if isinstance(raw, dict) else None
    contents = [one.get("content") for one in messages if isinstance(one, dict)] if isinstance(messages, list) else []
    parts = (part for content in contents if isinstance(content, list) for part in content)
    return any(isinstance(part, dict) and part.get("type") == "image_url" for part in parts)


class Messages:
    """Reads the messages of one record. `wrong(path, text)` is told each fault; `images` counts the parts that are
    pictures, `tools` the calls of tools, and `pictures` are those that came as data, each a Picture."""

    def __init__(self, wrong):
        self.wrong = wrong
        self.pictures = []
        self.images = 0
        self.tools = 0
        self._taking = Taking()

    def read(self, messages, prompt):
        """The messages as they are stored: a prompt is one of the user, a picture's data is a reference."""
        if prompt is not None:
            if messages is not None:
                self.wrong("prompt", "Send either prompt or messages, not both.")
            if not isinstance(prompt, str):
                self.wrong("prompt", f"Send text, not {kind_of(prompt)}.")
            return [{"role": "user", "content": prompt}]
        if not isinstance(messages, list) or not messages:
            self.wrong("messages", "Send a list of at least one message, or a prompt.")
            return []
        return [self._message(message, f"messages[{place}]") for place, message in enumerate(messages)]

    def _message(self, message, path):
        if not isinstance(message, dict):
            self.wrong(path, "A message is an object with 'role' and 'content'.")
            return message
        role = message.get("role")
        if not isinstance(role, str) or role not in ROLES:
            self.wrong(f"{path}.role", f"Send one of {', '.join(sorted(ROLES))}.")
        calls = self._tool_calls(message, path)
        content = message.get("content")
        if isinstance(content, list):
            parts = [self._part(part, f"{path}.content[{place}]") for place, part in enumerate(content)]
            if not parts:
                self.wrong(f"{path}.content", "A list of parts needs at least one.")
            return {**message, "content": parts}
        # what a model answered is sent back as it came: of a refusal or a call without words it is null
        if not isinstance(content, str) and not (content is None and (calls or _says_null(message))):
            self.wrong(f"{path}.content", "Send text or a list of parts; null only of an assistant.")
        return message

    def _tool_calls(self, message, path):
        """How many there are; OpenAI's older single `function_call` counts as one."""
        calls = message.get("tool_calls")
        if calls is None:
            calls = [{"function": message["function_call"]}] if isinstance(message.get("function_call"), dict) else []
        if not isinstance(calls, list):
            self.wrong(f"{path}.tool_calls", "Send a list of tool calls.")
            return 0
        for place, call in enumerate(calls):
            if not _is_call(call):
                self.wrong(f"{path}.tool_calls[{place}]", "A tool call is an object whose function has a name.")
        self.tools += len(calls)
        return len(calls)

    def _part(self, part, path):
        kind = part.get("type") if isinstance(part, dict) else None
        if not isinstance(kind, str) or not 1 <= len(kind) <= MAX_TEXT:
            self.wrong(path, f"A part is an object whose type is 1 to {MAX_TEXT} characters, such as image_url.")
        elif kind == "text" and not isinstance(part.get("text"), str):
            self.wrong(f"{path}.text", f"Send text, not {kind_of(part.get('text'))}.")
        elif kind == "image_url":
            return self._image(part, path)
        elif kind == "tool_use":  # Anthropic's name of a call
            self.tools += 1
        return part  # of a kind that we do not know it is kept as it came

    def _image(self, part, path):
        """Both spellings: the address itself, or an object that holds it as `url`."""
        image = part.get("image_url")
        nested = isinstance(image, dict)
        url = image.get("url") if nested else image
        path = f"{path}.image_url" + (".url" if nested else "")
        self.images += 1
        if not isinstance(url, str) or not url:
            self.wrong(path, "Send an address or a data URI.")
        elif url.startswith(REFERENCE):
            self.wrong(path, f"Addresses that begin with {REFERENCE} are not taken; send the picture itself.")
        elif url.strip()[:5].lower() == "data:":
            try:
                url, picture = self._taking.take(url)
            except PictureError as error:
                self.wrong(path, str(error))
                return part
            self.pictures.append(picture)
            return {**part, "image_url": {**image, "url": url} if nested else url}
        return part


def calls_of(metadata):
    """How many calls of tools a completion makes by what is told beside it, as the gateway tells them."""
    calls = metadata.get("tool_calls")
    return sum(map(_is_call, calls)) if isinstance(calls, list) else 0


def has_failed(metadata):
    """Whether what is told beside a completion, as the gateway tells it, is of a call that failed: an `error`, or that
    the provider or the gateway broke the answer off. Who had enough of an answer and left broke nothing."""
    return bool(metadata.get("error")) or metadata.get("broke_off") in ("provider", "gateway")


def _is_call(value):
    called = value.get("function", value.get("custom")) if isinstance(value, dict) else None
    return isinstance(called, dict) and isinstance(called.get("name"), str)


def _says_null(message):
    return message.get("role") == "assistant" and "content" in message
