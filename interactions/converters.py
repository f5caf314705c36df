"""What stands in addresses besides keys and ids: texts from outside, such as a session's id or a label's key."""

from django.urls import register_converter


class Text:
    """Any text, slashes and line ends too. Of its segments `.` and `..` would lead elsewhere and empty ones be left
    out on the way: a tilde stands before these, and before what begins with one."""

    regex = r"[\s\S]+"

    def to_url(self, text):
        return "/".join(f"~{one}" if one in {"", ".", ".."} or one.startswith("~") else one for one in text.split("/"))

    def to_python(self, path):
        return "/".join(one.removeprefix("~") for one in path.split("/"))


class Whole:
    """A key in an address of the API, as it is: any text, slashes and line ends too."""

    regex = r"[\s\S]+"

    def to_url(self, key):
        return key

    def to_python(self, path):
        return path


register_converter(Text, "text")
register_converter(Whole, "whole")
