"""What is known of each kind of provider: where it stands, whether it needs a key."""

from dataclasses import dataclass

from registry.models import Provider

# most tokens of an answer: OpenAI's newer models know but the newer name, the runtimes but the older
MAX_TOKENS, MAX_COMPLETION_TOKENS = LENGTHS = ("max_tokens", "max_completion_tokens")


@dataclass(frozen=True)
class Preset:
    """`address` is filled in for somebody who makes one, `hint` says what to put there; `length` is the name under
    which it takes the most tokens of an answer."""

    address: str
    needs_key: bool
    hint: str = ""
    is_runtime: bool = False  # serves models on machines of one's own
    length: str = MAX_TOKENS


Kind = Provider.Kind
PRESETS = {
    Kind.OPENAI: Preset("https://api.openai.com/v1", True, length=MAX_COMPLETION_TOKENS),
    Kind.AZURE: Preset(
        "",
        True,
        "https://RESOURCE.openai.azure.com/openai/v1, and as external ids the names of deployments. With "
        "https://RESOURCE.openai.azure.com?api-version=2024-10-21 the older addresses, one a deployment, are used.",
        length=MAX_COMPLETION_TOKENS,
    ),
    Kind.MISTRAL: Preset("https://api.mistral.ai/v1", True),
    Kind.ANTHROPIC: Preset("https://api.anthropic.com/v1", True),
    Kind.GOOGLE: Preset("https://generativelanguage.googleapis.com/v1beta/openai", True),
    Kind.VLLM: Preset("", False, "http://HOST:8000/v1", is_runtime=True),
    Kind.LLAMA_CPP: Preset("", False, "http://HOST:8080/v1", is_runtime=True),
    Kind.OLLAMA: Preset("", False, "http://HOST:11434/v1", is_runtime=True),
    Kind.OTHER: Preset("", False, "https://HOST/v1", is_runtime=True),
}
