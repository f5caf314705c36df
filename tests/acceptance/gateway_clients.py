"""The clients of the gateway's proofs, in a process of their own.

    python -m tests.acceptance.gateway_clients < SPECIFICATION

The specification is a JSON object: {"what": "crowd", "streams", "restless" or "reader", …}, the rest being the
arguments of the function of that name. Each result is a line of JSON on standard output.
"""

import asyncio
import json
import random
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
from openai import AsyncOpenAI

from tests.acceptance.real_data import log_in

ROOT = Path(__file__).resolve().parents[2]
MARK = re.compile(r"\[(\d\d)\]")  # in an answer: how many of a hundred people find it helpful
EVERYBODY = httpx.Limits(max_connections=None, max_keepalive_connections=None)


class Program:
    """Clients that run beside us; `lines` are their results so far, `wait()` is their end."""

    def __init__(self, what, **specification):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.acceptance.gateway_clients"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.process.stdin.write(json.dumps({"what": what, **specification}))
        self.process.stdin.close()
        self.lines = []
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(json.loads(line))

    def wait(self):
        """All results; SystemExit where the program failed."""
        self.reader.join()
        if code := self.process.wait():
            sys.exit(f"The clients ended with {code}.")
        return self.lines


def tell(**result):
    print(json.dumps(result), flush=True)


# -- a crowd of people, by the openai package -----------------------------------------------------
async def crowd(address, key, project, users, requests, feedback, answering, seed, at_once=24):
    """People ask, in an order of their own, every other time streamed, and say how they liked it.

    `answering` is {mark of an answer: the share of people who say anything}; what they say follows from the mark, so
    that each answer is liked with the probability that it names.
    """
    client = AsyncOpenAI(base_url=f"{address}/openai/v1", api_key=key, max_retries=0, timeout=120)
    order = [f"person-{n % users}" for n in range(requests)]
    random.Random(seed).shuffle(order)
    waiting, values = iter(enumerate(order)), Values(address, key, feedback)

    async def one_after_the_other():
        for number, user in waiting:
            result = await ask(client, project, user, number, streamed=number % 2 == 1)
            tell(**result)
            await values.give(result, answering, random.Random(f"{seed} {number}"))

    await asyncio.gather(*(one_after_the_other() for _ in range(at_once)))
    await values.send()
    await client.close()


async def ask(client, project, user, number, *, streamed):
    """What came of one request: {"user", "id", "text", "streamed"}, or {"fault"}."""
    said = [{"role": "user", "content": f"Question {number}: is a leak covered?"}]
    try:
        if streamed:
            identity, text = None, ""
            async for chunk in await client.chat.completions.create(
                model=project, messages=said, user=user, stream=True
            ):
                for choice in chunk.choices:
                    identity = identity or choice.model_extra.get("completion_id")
                    text += choice.delta.content or ""
        else:
            answer = await client.chat.completions.create(model=project, messages=said, user=user)
            identity, text = answer.choices[0].model_extra.get("completion_id"), answer.choices[0].message.content
    except Exception as error:  # whatever the package raises is a request that failed
        return {"number": number, "user": user, "fault": f"{type(error).__name__}: {error}"[:300]}
    return {"number": number, "user": user, "id": identity, "text": text, "streamed": streamed}


class Values:
    """Feedback on its way, a hundred values a request."""

    def __init__(self, address, key, feedback):
        self.feedback, self.waiting = feedback, []
        self.client = httpx.AsyncClient(base_url=address, headers={"Authorization": f"Bearer {key}"}, timeout=60)

    async def give(self, result, answering, rng):
        found = MARK.search(result.get("text") or "")
        if not found or rng.random() >= answering[found[1]]:
            return
        value = rng.random() < int(found[1]) / 100
        self.waiting.append(
            {"completion_id": result["id"], "metric": self.feedback, "value": value, "user": result["user"]}
        )
        if len(self.waiting) >= 100:
            await self.send()

    async def send(self):
        ours, self.waiting = self.waiting, []
        if ours:
            answer = await self.client.post("/api/v1/feedback", json=ours)
            answer.raise_for_status()
            if answer.json()["rejected"]:
                raise ValueError(answer.json()["rejected"][:3])


# -- streams, looked at closely -------------------------------------------------------------------
async def streams(address, key, model, number, within, name="Stream"):
    """So many streams that begin spread over `within` seconds: when each one's first token came, and all of it."""
    async with httpx.AsyncClient(base_url=address, headers=_bearer(key), limits=EVERYBODY, timeout=120) as client:

        async def one(place):
            await asyncio.sleep(within * place / number)
            tell(**await stream(client, model, f"{name} {place}"))

        await asyncio.gather(*(one(place) for place in range(number)))


async def restless(address, key, model, number, seconds):
    """So many clients that ask again and again, each fourth time without a stream, whatever befalls them."""
    end = time.monotonic() + seconds
    async with httpx.AsyncClient(base_url=address, headers=_bearer(key), limits=EVERYBODY, timeout=120) as client:

        async def one(place):
            await asyncio.sleep(2 * place / number)
            turn = 0
            while time.monotonic() < end:
                turn += 1
                prompt = f"Client {place}, turn {turn}"
                result = await (plain if turn % 4 == 0 else stream)(client, model, prompt)
                tell(**result)
                if "fault" in result:
                    await asyncio.sleep(0.3)

        await asyncio.gather(*(one(place) for place in range(number)))


def _bearer(key):
    return {"Authorization": f"Bearer {key}"}


def _body(model, prompt, **more):
    return {"model": model, "messages": [{"role": "user", "content": prompt}], "user": prompt, **more}


async def stream(client, model, prompt):
    """{"prompt", "id", "text", "first", "seconds", "began"}; only with its [DONE] it is without a "fault"."""
    result = {"prompt": prompt, "id": None, "text": "", "first": None, "began": time.time(), "streamed": True}
    began = time.monotonic()
    try:
        async with client.stream("POST", "chat/completions", json=_body(model, prompt, stream=True)) as answer:
            result["fault"] = f"{answer.status_code} without [DONE]"
            async for line in answer.aiter_lines():
                if line == "data: [DONE]":
                    del result["fault"]
                elif line.startswith("data: "):
                    _take(result, json.loads(line[6:]), time.monotonic() - began)
    except httpx.HTTPError as error:
        result.setdefault("fault", type(error).__name__)
    return result | {"seconds": time.monotonic() - began}


def _take(result, chunk, seconds):
    for choice in chunk.get("choices") or ():
        result["id"] = result["id"] or choice.get("completion_id")
        if piece := choice["delta"].get("content"):
            result["first"] = seconds if result["first"] is None else result["first"]
            result["text"] += piece


async def plain(client, model, prompt):
    result = {"prompt": prompt, "began": time.time(), "streamed": False}
    try:
        answer = await client.post("chat/completions", json=_body(model, prompt))
        if answer.status_code == 200:
            [choice] = answer.json()["choices"]
            result |= {"id": choice["completion_id"], "text": choice["message"]["content"]}
        else:
            result["fault"] = str(answer.status_code)
    except httpx.HTTPError as error:
        result["fault"] = type(error).__name__
    return result | {"seconds": time.time() - result["began"]}


# -- somebody who reads the table meanwhile -------------------------------------------------------
async def reader(address, login, page, seconds, pause):
    """Opens the page again and again: {"ms"} each. The password is in LOGIN_PASSWORD."""
    browser = log_in(address, login)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        status = browser.get(page).status_code
        tell(ms=1000 * (time.monotonic() - began), status=status)
        time.sleep(pause)


def main():
    asked = json.load(sys.stdin)
    asyncio.run(
        {"crowd": crowd, "streams": streams, "restless": restless, "reader": reader}[asked.pop("what")](**asked)
    )


if __name__ == "__main__":
    main()
