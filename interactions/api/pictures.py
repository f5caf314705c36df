"""Stored pictures, at our own address."""

import uuid

from django.http import HttpResponse
from django.utils.cache import patch_cache_control
from drf_spectacular.utils import extend_schema
from rest_framework.views import APIView

from interactions.models import Blob
from projects.access import EntityNotFound, project_or_404


class Picture(APIView):
    """A stored picture, to those who may read its project."""

    @extend_schema(exclude=True)
    def get(self, request, project_id: uuid.UUID, sha256):
        project = project_or_404(request.user, project_id)
        blob = Blob.objects.filter(project=project, content=sha256).select_related("content").first()
        if blob is None:
            raise EntityNotFound("Picture", sha256)
        response = HttpResponse(bytes(blob.content.content), content_type=blob.media_type)
        # the address holds the digest, so what it answers never changes; private, since it needs the reader's rights
        patch_cache_control(response, private=True, immutable=True, max_age=31_536_000)
        response["Content-Security-Policy"] = "default-src 'none'; sandbox"
        response["ETag"] = f'"{sha256}"'
        return response
