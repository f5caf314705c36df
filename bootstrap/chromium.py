"""Finds a Chromium for the browser tests, or fetches one; its path is written to .venv/chromium."""

import os
import platform
import shutil
import subprocess

from bootstrap.steps import PYTHON, VENV, Failed, run, told

SHELL = "chromium-headless-shell"  # the same engine without the windows around it: a test costs a quarter less
NAMES = (SHELL, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PLAYWRIGHTS = "from playwright.sync_api import sync_playwright as p\nwith p() as it: print(it.chromium.executable_path)"


def find_or_install():
    """The machine's own, else Debian's package, else Playwright's."""
    path = present() or debians() or playwrights()
    if not path:
        raise Failed("No Chromium for the browser tests: install one, or name it in CHROMIUM.")
    (VENV / "chromium").write_text(path)
    return False


def present():
    named = [os.environ["CHROMIUM"]] if os.environ.get("CHROMIUM") else NAMES
    return next((path for path in map(shutil.which, named) if path), None)


def debians():
    """Debian's package, where we may install one. Ubuntu's of that name is an empty shell around a snap."""
    if not shutil.which("apt-get") or os.geteuid() != 0 or platform.freedesktop_os_release().get("ID") != "debian":
        return None
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"]
    with told("Chromium, from Debian", "chromium", "debian"):
        subprocess.run([*apt, "update"], env=quiet, capture_output=True)
        subprocess.run([*apt, "install", "-y", "--no-install-recommends", SHELL], env=quiet, capture_output=True)
    return present()


def playwrights():
    path = subprocess.run([PYTHON, "-c", PLAYWRIGHTS], capture_output=True, text=True).stdout.strip()
    if not os.path.exists(path):
        with told("Chromium, from Playwright", "chromium", "playwright"):
            extra = ["--with-deps"] if os.geteuid() == 0 and shutil.which("apt-get") else []
            run(PYTHON, "-m", "playwright", "install", "--no-shell", *extra, "chromium")
    return path if os.path.exists(path) else None
