from django.apps import AppConfig
from django.core.checks import register

from registry.ready import settings_are_readable


class RegistryConfig(AppConfig):
    name = "registry"

    def ready(self):
        register(settings_are_readable)
