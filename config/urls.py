"""Every page and call, from the top."""

urlpatterns = []
