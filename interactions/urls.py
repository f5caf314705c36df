"""Pages of interactions."""

urlpatterns = []
