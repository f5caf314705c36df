"""Static files under names that carry their digests."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class Hashed(CompressedManifestStaticFilesStorage):
    """Our modules import each other by these names too, so that an old one never meets a new one."""

    patterns = (
        *CompressedManifestStaticFilesStorage.patterns,
        (
            "*.js",
            (
                (
                    r"""(?m)(?P<matched>^(?P<what>import \{.+\}) from "(?P<url>\./[a-z_]+\.js)";$)""",
                    '%(what)s from "%(url)s";',
                ),
                (r"""(?P<matched>import\("(?P<url>\./[a-z_]+\.js)"\))""", 'import("%(url)s")'),
            ),
        ),
    )
