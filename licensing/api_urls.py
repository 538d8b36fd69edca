"""The API of the middle floor: each slice registers its views here."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from licensing.claims.api import ClaimViewSet, MyClaimViewSet, UnmatchedViewSet
from licensing.compliance.api import CaseViewSet, ReservationNoticeViewSet
from licensing.declarations.api import DeclarationViewSet, DutyViewSet
from licensing.declarations.api_quotas import QuotaView
from licensing.declarations.api_uploads import DeclarationUploadViewSet, ManifestViewSet, UploadViewSet
from licensing.licences.api.licences import LicenceViewSet
from licensing.licences.api.requests import LicenceRequestViewSet
from licensing.permissions.api.bulk import BulkCheckViewSet
from licensing.permissions.api.checks import PermissionCheckView
from licensing.permissions.api.reservations import ReservationViewSet
from licensing.permissions.api.schemes import SchemeViewSet
from licensing.permissions.api.sites import SiteViewSet
from licensing.repertoire.api import WorkViewSet
from licensing.tariffs.api import TariffViewSet
from licensing.tariffs.api_consultations import ConsultationViewSet

router = SimpleRouter()
router.register("permissions/checks", BulkCheckViewSet, "bulk-check")
router.register("reservations", ReservationViewSet, "reservation")
router.register("schemes", SchemeViewSet, "scheme")
router.register("sites", SiteViewSet, "site")
router.register("works", WorkViewSet, "work")
router.register("tariffs", TariffViewSet, "tariff")
router.register("consultations", ConsultationViewSet, "consultation")
router.register("licences", LicenceViewSet, "licence")
router.register("licence-requests", LicenceRequestViewSet, "licence-request")
router.register("declarations", DeclarationViewSet, "declaration")
router.register("declarations/(?P<declaration_id>[0-9]{1,18})/uploads", DeclarationUploadViewSet, "declaration-upload")
router.register("declarations/(?P<declaration_id>[0-9]{1,18})/manifest", ManifestViewSet, "declaration-manifest")
router.register("uploads", UploadViewSet, "upload")
router.register("duties", DutyViewSet, "duty")
router.register("reservation-notices", ReservationNoticeViewSet, "reservation-notice")
router.register("cases", CaseViewSet, "case")
router.register("unmatched", UnmatchedViewSet, "unmatched")
router.register("claims", ClaimViewSet, "claim")
router.register("me/claims", MyClaimViewSet, "my-claim")

urlpatterns = [
    path("licences/<str:ref>/quota/", QuotaView.as_view(), name="licence-quota"),
    path("permissions/check/", PermissionCheckView.as_view(), name="permission-check"),
    *router.urls,
]
