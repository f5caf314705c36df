"""What becomes of files that a form brings: no page takes any."""

from django.core.exceptions import BadRequest
from django.core.files.uploadhandler import FileUploadHandler


class NoFiles(FileUploadHandler):
    """Refuses a form at its first file: forms are read before anybody is asked who she is, and files would lie on the
    disk by then."""

    def new_file(self, *args, **kwargs):
        raise BadRequest("No page takes files.")

    def receive_data_chunk(self, raw_data, start):
        """Never comes to be: there is no file."""

    def file_complete(self, file_size):
        """Never comes to be: there is no file."""
