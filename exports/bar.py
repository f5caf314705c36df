"""The saved views over the table: which there are, which is shown, and how many each has."""

from dataclasses import dataclass

from exports.models import SavedView
from exports.saved import views_of
from interactions.search import Counted

SHOWN = 30


@dataclass
class Tab:
    """A view in the bar; `counted` is None until it was."""

    view: SavedView
    is_current: bool
    counted: Counted | None = None


@dataclass
class Bar:
    """The Tabs of a project for somebody, by name; `query` is what the table shows, in its one form, without a page."""

    tabs: list
    query: str
    more: int = 0
    is_counted: bool = False
    counted: Counted | None = None  # of all

    @property
    def is_all(self):
        return not self.query

    @property
    def current(self):
        """The view whose filter is shown, or None."""
        return next((tab.view for tab in self.tabs if tab.is_current), None)


def bar_of(project, user, query):
    """The Bar, not yet counted: of very many the first, and the one that is shown."""
    views = list(views_of(project, user))
    tabs = [Tab(view, bool(query) and view.query == query) for view in views]
    shown = [tab for place, tab in enumerate(tabs) if place < SHOWN or tab.is_current]
    return Bar(shown, query, more=len(tabs) - len(shown))
