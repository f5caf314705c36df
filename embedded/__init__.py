"""The bundled PostgreSQL: find, start, stop. Imported only where no database address is given."""

from embedded.place import Place, Refused, address

__all__ = ["Place", "Refused", "address"]
