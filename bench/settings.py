"""The product's settings, with the commands of the bench beside its own."""

from config.settings import *  # noqa: F403
from config.settings import INSTALLED_APPS

INSTALLED_APPS = ["bench", *INSTALLED_APPS]
