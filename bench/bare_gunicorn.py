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
worker_class = "gthread"  # as it comes: what the product adds to it is part of what is measured
