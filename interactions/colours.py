"""Source text in colours, in bounded time: of some texts a lexer's time grows with the square of their length."""

import functools
import re
import time

from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.token import Text

MOST = 20_000  # characters of a block that is coloured
SECONDS = 0.25  # of a processor for the blocks of one text; what comes after is left without colours
LANGUAGES = {
    *("bash", "c", "cpp", "csharp", "css", "diff", "docker", "go", "graphql", "html", "http", "ini", "java"),
    *("javascript", "json", "kotlin", "lua", "makefile", "markdown", "php", "powershell", "python", "r", "ruby"),
    *("rust", "scala", "sql", "swift", "toml", "typescript", "xml", "yaml"),
}
ALIASES = {
    "c++": "cpp",
    "c#": "csharp",
    "console": "bash",
    "dockerfile": "docker",
    "js": "javascript",
    "jsx": "javascript",
    "jsonc": "json",
    "md": "markdown",
    "py": "python",
    "rb": "ruby",
    "rs": "rust",
    "sh": "bash",
    "shell": "bash",
    "ts": "typescript",
    "tsx": "typescript",
    "yml": "yaml",
    "zsh": "bash",
}
# looking once at a run of these may take a lexer the square of its length, and nothing else is done meanwhile
_LONG_RUN = re.compile(r"\s{200}|(\S)\1{500}")
_FORMATTER = HtmlFormatter(nowrap=True, classprefix="hl-")


class Colours:
    """What is left of the time that the blocks of one text may take."""

    def __init__(self):
        self.left = SECONDS

    def html(self, source, language):
        """The text as escaped HTML; None where it is not coloured: its language is unknown, it is long, or the time is
        over. Where that is over in its midst the rest has no colours."""
        lexer = _lexer(language.strip().lower())
        if lexer is None or len(source) > MOST or self.left <= 0 or _LONG_RUN.search(source):
            return None
        lines = source.replace("\r\n", "\n").replace("\r", "\n")
        written = []
        _FORMATTER.format(self._tokens(lexer, lines if lines.endswith("\n") else lines + "\n"), _Written(written))
        return "".join(written)

    def _tokens(self, lexer, lines):
        end = time.thread_time() + self.left
        for place, kind, value in lexer.get_tokens_unprocessed(lines):
            if time.thread_time() > end:
                yield Text, lines[place:]
                break
            yield kind, value
        self.left = end - time.thread_time()


class _Written:
    """As much of a file as a formatter needs."""

    def __init__(self, pieces):
        self.write = pieces.append


@functools.cache
def _lexer(language):
    language = ALIASES.get(language, language)
    return get_lexer_by_name(language) if language in LANGUAGES else None
