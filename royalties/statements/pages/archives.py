"""All statements of a run to take away: asked for once, made by workers, with progress."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Sum
from django.http import FileResponse, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts.identity.core import Forbidden, NotFound
from accounts.identity.gate import ActorRequest, requires
from licensing.intake.services import path_of
from royalties.distribution.models import Run
from royalties.statements.models import ArchivePart, StatementArchive
from royalties.statements.services.archives import ask_archive, waiting_parts
from royalties.statements.services.files import LANGUAGES
from royalties.statements.tasks import write_archive_part


@requires("statements.view")
@require_http_methods(["GET", "POST"])
def archives(request: ActorRequest, run_id: int) -> HttpResponse:
    """The archives of a run, each with its parts and how far they are; POST asks for one."""
    if not request.actor.is_society:
        raise Forbidden(_("This page is for the society."))
    run = Run.objects.visible_to(request.actor).select_related("society").filter(pk=run_id).first()
    if run is None:
        raise NotFound(_("There is no such run."))
    if request.method == "POST":
        with transaction.atomic():
            form, language = request.POST.get("form", ""), request.POST.get("language", "")
            archive = ask_archive(actor=request.actor, run=run, form=form, language=language)
            transaction.on_commit(lambda: [write_archive_part.delay(pk) for pk in waiting_parts(archive=archive)])
        return redirect("royalties:run_archives", run_id)
    found = StatementArchive.objects.visible_to(request.actor).filter(run=run).order_by("id")
    shown = found.annotate(done=Sum("parts__done")).prefetch_related("parts")
    context = {
        "run": run,
        "archives": shown,
        "moving": any(each.done < each.statements for each in shown),
        "forms": StatementArchive.Form.choices,
        "languages": LANGUAGES,
    }
    part = request.headers.get("HX-Request")
    return render(request, f"royalties/statements/{'_archives' if part else 'archives'}.html", context)


@requires("statements.view")
@require_GET
def part(request: ActorRequest, archive_part_id: int) -> HttpResponseBase:
    """One ZIP file."""
    mine = StatementArchive.objects.visible_to(request.actor)
    found = ArchivePart.objects.filter(pk=archive_part_id, archive__in=mine, status=ArchivePart.Status.DONE)
    row = found.select_related("file").first()
    if row is None or row.file is None:
        raise NotFound(_("There is no such file."))
    return FileResponse(path_of(row.file).open("rb"), as_attachment=True, filename=row.file.name)
