"""What a run says while it goes on."""

import time


def say(text):
    print(f"  {time.strftime('%H:%M:%S')}  {text}", flush=True)
