"""Interactions as examples to train with: chats that end in the answer, and pairs of a chosen and a rejected one."""

from interactions.messages import calls_of, is_calls


def answer_of(body, better=None):
    """The assistant's last message: the better answer, else the completion with the calls of tools that came with it;
    None where there is neither."""
    if better:
        return _said(better)
    calls, text = calls_of(body), body.completion
    if not calls:
        return _said(text) if text else None
    return {**_said(None if is_calls(text, calls) else text), "tool_calls": list(map(_call, calls))}


def example(messages, answer, body):
    """{"messages": [...], "tools"?}: the chat with its tool calls, and the answer as its last word."""
    return {"messages": [*map(_message, messages), answer], **_tools_of(body)}


def pair(messages, chosen, rejected, body):
    """{"prompt", "chosen", "rejected", "tools"?}, the first three lists of messages."""
    return {"prompt": list(map(_message, messages)), "chosen": [chosen], "rejected": [rejected], **_tools_of(body)}


def _said(text):
    return {"role": "assistant", "content": text}


# -- tools, as the gateway keeps them beside an answer (docs/gateway.md) --------------------------
def _kept(body):
    kept = body.envelope.get("metadata")
    return kept if isinstance(kept, dict) else {}


def _call(call):
    """Without what a stream or a provider adds."""
    function = {name: call["function"].get(name, "") for name in ("name", "arguments")}
    return {"id": call.get("id", ""), "type": "function", "function": function}


def _tools_of(body):
    """{"tools": [...]} that the model was offered, where that is known."""
    parameters = _kept(body).get("parameters")
    tools = parameters.get("tools") if isinstance(parameters, dict) else None
    return {"tools": tools} if tools and isinstance(tools, list) else {}


def _message(message):
    """With pictures in the one spelling that OpenAI takes: an object that holds the address."""
    content = message.get("content")
    if not isinstance(content, list):
        return message
    parts = [
        {**part, "image_url": {"url": part["image_url"]}}
        if part.get("type") == "image_url" and isinstance(part["image_url"], str)
        else part
        for part in content
    ]
    return {**message, "content": parts}
