"""REST: background work."""

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from interactions.rules import Conflict
from jobs.serializers import JobListSerializer, JobSerializer
from jobs.services import Ended, cancel, job_or_404, jobs_of
from projects.access import project_or_404

SHOWN = 100


class JobList(APIView):
    """The background work of a project."""

    @extend_schema(operation_id="jobs_list", responses=JobListSerializer)
    def get(self, request, project):
        """The newest hundred: your own, and all for who manages the project."""
        project = project_or_404(request.user, project)
        return Response(JobListSerializer({"results": jobs_of(project, request.user)[:SHOWN]}).data)


class JobDetail(APIView):
    """One piece of background work."""

    @extend_schema(responses=JobSerializer)
    def get(self, request, project, job_id):
        """How far it is, and what came of it."""
        project = project_or_404(request.user, project)
        return Response(JobSerializer(job_or_404(project, request.user, job_id)).data)

    @extend_schema(responses={202: JobSerializer})
    def delete(self, request, project, job_id):
        """Ask for its end. What it did stays done, whole slices of it; 409 where it has ended."""
        project = project_or_404(request.user, project)
        job = job_or_404(project, request.user, job_id)
        try:
            cancel(job=job)
        except Ended as error:
            raise Conflict(str(error)) from None
        job.refresh_from_db()
        return Response(JobSerializer(job).data, status=202)
