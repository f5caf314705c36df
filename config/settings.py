"""All settings, from the environment alone. docs/settings.md tells what each one does."""

import base64
import fcntl
import os
import secrets
from pathlib import Path

from csp.constants import NONE, SELF

from config import environment as env
from interactions import durable

BASE_DIR = Path(__file__).resolve().parent.parent

# -- this process ----------------------------------------------------------------------------------
DATA_DIR = Path(os.environ.get("DATA_DIR") or BASE_DIR / "var").resolve()
HOST = os.environ.get("HOST") or "127.0.0.1"
PORT = env.number("PORT", 8000, 1, 65_535)
EVERYWHERE = HOST in {"0.0.0.0", "::"}  # noqa: S104
_NAMED = "localhost" if EVERYWHERE else f"[{HOST}]" if ":" in HOST else HOST
ADDRESS = env.address("ADDRESS", f"http://{_NAMED}:{PORT}")
DEBUG = env.flag("DEBUG")
ACCESS_LOG = env.flag("ACCESS_LOG")
HTTPS = ADDRESS.startswith("https://")


def _kept(name, make):
    """What DATA_DIR/name says, made once, or anew where a power cut has left it empty. Whoever comes second waits, and
    takes what the first has written."""
    path = DATA_DIR / name
    try:
        if not path.exists() or not path.stat().st_size:
            DATA_DIR.mkdir(parents=True, exist_ok=True)
            with open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                if not file.read():
                    file.write(make())
                    durable.sync(file)
                    durable.sync_folder(DATA_DIR)
        return path.read_text()
    except OSError as error:
        raise SystemExit(f"DATA_DIR is {DATA_DIR}, where this user cannot keep {name}: {error.strerror}.") from None


def _encryption_key():
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


# the key that signs sessions, and those that providers' addresses and keys are encrypted with: the first encrypts
SECRET_KEY = os.environ.get("SECRET_KEY") or _kept("secret_key", lambda: secrets.token_urlsafe(50))
ENCRYPTION_KEYS = env.listed("ENCRYPTION_KEYS") or env.items(_kept("encryption_keys", _encryption_key))
ALLOWED_HOSTS = env.hosts("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]") + ([] if EVERYWHERE else [_NAMED])
CSRF_TRUSTED_ORIGINS = env.listed("CSRF_TRUSTED_ORIGINS") or [ADDRESS]

# -- the database ----------------------------------------------------------------------------------
DATABASE_URL = os.environ.get("DATABASE_URL", "")
EMBEDDED = not DATABASE_URL
if EMBEDDED:
    import embedded

    DATABASE_URL = embedded.address(DATA_DIR)
_connection = env.database(DATABASE_URL)
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _connection.pop("dbname", "marginalia"),
        "USER": _connection.pop("user", ""),
        "PASSWORD": _connection.pop("password", ""),
        "HOST": _connection.pop("host", ""),
        "PORT": _connection.pop("port", ""),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        # compiling a page's query takes longer than running it, and so does starting others to help with it
        "OPTIONS": {
            "application_name": "marginalia",
            "options": "-c jit=off -c max_parallel_workers_per_gather=0",
            # only what asks for it is kept planned by the server (accounts/prepared.py, interactions/bulk.py); without
            # a number here, which no count of uses reaches, nothing would be
            "prepare_threshold": 2**31 - 1,
            **_connection,
        },
        "TEST": {"TEMPLATE": "template0"},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# -- what we are made of ---------------------------------------------------------------------------
INSTALLED_APPS = [
    "config",
    "demo",
    "gateway",
    "experiments",
    "exports",
    "reviews",
    "interactions",
    "feedback",
    "registry",
    "jobs",
    "projects",
    "accounts",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "django_filters",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "procrastinate.contrib.django",
    "csp",
    "axes",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "accounts.middleware.own_password",
    "accounts.middleware.timezone",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]
# what a call of the API by a key goes through: see config/wsgi.py
MIDDLEWARE_OF_PROGRAMS = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# -- time and language -----------------------------------------------------------------------------
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

# -- static files: ours, and packages by prefix ----------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = Path(os.environ.get("STATIC_ROOT") or BASE_DIR / "staticfiles")
STATICFILES_DIRS = [
    BASE_DIR / "static",
    ("generated", BASE_DIR / "generated"),
    ("inter", BASE_DIR / "node_modules/@fontsource-variable/inter"),
    ("jetbrains-mono", BASE_DIR / "node_modules/@fontsource-variable/jetbrains-mono"),
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage" if DEBUG else "config.static.Hashed"
    },
}

# -- who may come in -------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
# the address is unique whatever its case, by a constraint that this check does not know; hosts below this one are to
# be asked about, not taken (HSTS_SUBDOMAINS)
SILENCED_SYSTEM_CHECKS = ["auth.W004", "security.W005", "security.W021"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_CALLABLE = "accounts.views.entering.locked_out"
AXES_CLIENT_IP_CALLABLE = "accounts.authentication.client_address"
AXES_RESET_ON_SUCCESS = True
AXES_USERNAME_FORM_FIELD = "username"  # what authenticate() calls it; the model's own word would count no address
AXES_VERBOSE = False
CSRF_FAILURE_VIEW = "accounts.views.entering.csrf_failure"

# -- transport -------------------------------------------------------------------------------------
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = env.flag("SSL_REDIRECT", default=True) and HTTPS
SECURE_REDIRECT_EXEMPT = [r"^(ready|health)$"]  # asked by the machine itself
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.flag("BEHIND_PROXY") else None
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
# of this host alone: what else stands below it, over plain HTTP perhaps, is not ours to close for a year
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = env.flag("HSTS_SUBDOMAINS") and HTTPS
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 32 * 1024 * 1024  # one record; a batch is read as a stream
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000
FILE_UPLOAD_HANDLERS = ["config.uploads.NoFiles"]

# -- calls to providers ----------------------------------------------------------------------------
SSL_CERT_FILE = os.environ.get("SSL_CERT_FILE", "")  # what calls to providers read by themselves; here to be checked
# hosts, host:ports and networks that are called although they lie on this machine or are link-local
ALLOWED_UPSTREAMS = env.listed("ALLOWED_UPSTREAMS")
GATEWAY_TIMEOUT = env.number("GATEWAY_TIMEOUT", 60, 0.1, 3_600, kind=float)  # seconds without a byte from a provider
GATEWAY_SPOOL_MB = env.number("GATEWAY_SPOOL_MB", 64, 0, 1_000_000)  # of what is logged once the database answers again

# -- the API ---------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.ApiKeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated", "config.described.KnownWords"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["config.api.JSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "config.api.OnlyJSON",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "config.api.exception_handler",
    "UNICODE_JSON": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Marginalia",
    "DESCRIPTION": "Log, read, label and judge the interactions of language models.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "config.described.tell_errors"],
    "ENUM_NAME_OVERRIDES": {
        "JobStateEnum": "jobs.models.State",
        "FeedbackKeyKindEnum": "feedback.models.FeedbackKey.Kind",
        "QueueKindEnum": "reviews.models.Kind",
        "ReviewStateEnum": "reviews.models.State",
        "ModelStateEnum": "registry.models.State",
        "ABTestStateEnum": "experiments.models.State",
        "ProviderKindEnum": "registry.models.Provider.Kind",
        "QuestionKindEnum": "reviews.questions.KINDS",
    },
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "filters": {"brief": {"()": "config.logs.Brief"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["brief"]}},
    # these tell of the addresses that they call, which are kept encrypted
    "loggers": {name: {"level": "WARNING"} for name in ("httpx", "httpcore")},
    "root": {"handlers": ["console"], "level": env.log_level("LOG_LEVEL")},
}
