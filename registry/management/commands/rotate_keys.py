"""Addresses and keys of providers encrypted anew, when ENCRYPTION_KEYS begins with another key."""

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from registry.models import Provider
from registry.sealing import Unreadable, is_by_first, seal_anew


class Command(BaseCommand):
    help = "Encrypt the addresses and keys of all providers with the first of ENCRYPTION_KEYS."

    def handle(self, **options):
        changed, lost = 0, []
        for pk in Provider.objects.order_by("pk").values_list("pk", flat=True):
            try:
                changed += _rotate(pk)
            except Unreadable:
                lost.append(Provider.objects.select_related("team").get(pk=pk))
        self.stdout.write(f"{changed} encrypted anew; all others were encrypted with the first key already.")
        if lost:
            names = ", ".join(f"{provider.team.key}/{provider.key}" for provider in lost)
            raise CommandError(f"No key in ENCRYPTION_KEYS opens {names}. Add the one they were encrypted with.")


@transaction.atomic
def _rotate(pk):
    """Whether there was anything to do: each provider in a transaction of its own, so that it may be run again."""
    provider = Provider.objects.select_for_update().filter(pk=pk).first()
    if provider is None:
        return False
    sealed = {name: getattr(provider, name) for name in ("sealed_address", "sealed_api_key")}
    old = {name: value for name, value in sealed.items() if value is not None and not is_by_first(value)}
    for name, value in old.items():
        setattr(provider, name, seal_anew(value))
    if old:
        provider.save(update_fields=list(old))
    return bool(old)
