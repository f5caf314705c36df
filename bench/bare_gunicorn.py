"""How gunicorn serves the bare view: as it serves the product, without the product's hooks."""

from config.gunicorn import (  # noqa: F401
    control_socket_disable,
    keepalive,
    loglevel,
    preload_app,
    threads,
    worker_tmp_dir,
    workers,
)

wsgi_app = "bench.bare:application"
worker_class = "gthread"  # the product's own kind, less what looks for the gateway's connections
