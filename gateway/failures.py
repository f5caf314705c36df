"""What can go wrong with a request to the gateway, and with the call that it makes."""


class Refused(Exception):
    """The request is not served, and nothing was called: `status` and words for whoever sent it."""

    def __init__(self, status, text, *, code=None, param=None):
        super().__init__(text)
        self.status, self.text, self.code, self.param = status, text, code, param
        self.again, self.retry_after = False, None


class Failed(Exception):
    """The provider did not do what it was asked: what the client is told, and what is kept of it.

    `status` is ours; `upstream` is the provider's own, None where it gave none. `again`: another try may help, and was
    not made in vain already. `kind` is one of our codes; `code` is what the provider calls it, where it does.
    """

    def __init__(self, status, text, *, code, upstream=None, again=False, retry_after=None, named=None, param=None):
        super().__init__(text)
        self.status, self.text, self.kind, self.code, self.param = status, text, code, named or code, param
        self.upstream, self.again, self.retry_after = upstream, again, retry_after


def bad_key(key):
    """Refused, for a key that opens nothing."""
    text = "This API key is not known, was revoked, or its time is over." if key else "Send Authorization: Bearer KEY."
    return Refused(401, text, code="invalid_api_key")


def unknown_host(host):
    """Refused, as the pages refuse it, for a Host that this server does not go by."""
    return Refused(400, f"This server does not answer to {host[:100]!r}; its operator adds it to ALLOWED_HOSTS.")


NOT_SERVED = "There is nothing at this address; the gateway has chat/completions, embeddings and models."
