"""Coming in and going out, and one's own account and keys."""

from axes.helpers import get_cool_off
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_not_required
from django.http import JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from accounts.forms import AccountForm, KeyForm, LoginForm, PasswordForm
from accounts.models import ApiKey
from accounts.services import change_account, change_password, create_api_key, revoke_api_key


def status_of(form):
    """What a page with this form answers with: 422 where it refuses what was sent."""
    return 422 if form.is_bound and not form.is_valid() else 200


class Login(auth_views.LoginView):
    """E-mail address and password to a session; who is in already goes on."""

    form_class = LoginForm
    template_name = "accounts/login.html"
    redirect_authenticated_user = True

    def get(self, request, *args, **kwargs):
        if request.htmx:  # a session ended under an open page: the whole page logs in, not a part of it
            return HttpResponseClientRedirect(self._address_of_page(request))
        return super().get(request, *args, **kwargs)

    def form_invalid(self, form):
        return self.render_to_response(self.get_context_data(form=form), status=422)

    def _address_of_page(self, request):
        page = request.htmx.current_url_abs_path or ""
        return f"{request.path}?{urlencode({'next': page})}" if page else request.path


login = method_decorator(login_not_required, name="dispatch")(Login).as_view()


def locked_out(request, *details):
    """Too many failures for this address from this place: 429, and when to come again."""
    wait = int(get_cool_off(request).total_seconds())
    text = f"Too many failed attempts. Try again in {wait // 60} minutes."
    if request.path.startswith("/api/"):
        response = JsonResponse({"error": text, "fields": {}}, status=429)
    else:
        response = render(request, "accounts/locked_out.html", {"text": text}, status=429)
    response["Retry-After"] = str(wait)
    return response


def csrf_failure(request, reason=""):
    """The form came without its token, mostly because cookies are off or the page lay open over a login."""
    return render(request, "403.html", {"stale": True}, status=403)


@require_http_methods(["GET", "POST"])
def account(request):
    """One's name and time zone."""
    user = request.user
    form = AccountForm(request.POST or None, initial={"name": user.name, "timezone": user.timezone})
    if form.is_valid():
        change_account(user=user, **form.cleaned_data)
        messages.success(request, "Saved.")
        return redirect("account")
    return render(request, "accounts/account.html", {"form": form}, status=status_of(form))


@never_cache
@require_http_methods(["GET", "POST"])
def password(request):
    """A new password; this session stays, all others end."""
    form = PasswordForm(request, request.POST or None)
    if form.is_valid():
        change_password(user=request.user, password=form.cleaned_data["new_password1"])
        update_session_auth_hash(request, request.user)
        messages.success(request, "Your password is changed. Sessions elsewhere have ended.")
        return redirect("home")
    return render(request, "accounts/password.html", {"form": form}, status=status_of(form))


@never_cache
@require_http_methods(["GET", "POST"])
def api_keys(request):
    """One's keys; a new one is shown in the answer to its making and never again."""
    form, plain = KeyForm(request.POST or None), None
    if form.is_valid():
        _, plain = create_api_key(user=request.user, **form.cleaned_data)
    status = status_of(form)
    context = {"form": KeyForm() if plain else form, "plain": plain, "keys": ApiKey.objects.of(request.user)}
    return render(request, "accounts/api_keys.html", context, status=status)


@require_POST
def api_key_revoke(request, pk):
    key = get_object_or_404(ApiKey.objects.of(request.user), pk=pk)
    revoke_api_key(key=key, by=request.user)
    messages.success(request, f"The key {key.name} is revoked.")
    return redirect("api_keys")
