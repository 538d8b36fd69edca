"""The API of the ground floor: each slice registers its views here."""

from rest_framework.routers import SimpleRouter

from accounts.notices.api import DeliveryViewSet, WebhookViewSet

router = SimpleRouter()
router.register("webhooks", WebhookViewSet, "webhook")
router.register(r"webhooks/(?P<webhook_id>[0-9]{1,18})/deliveries", DeliveryViewSet, "webhook-delivery")

urlpatterns = router.urls
