"""Addresses of recommendations."""

from django.urls import path

from partnerships.kit.lists import list_page
from partnerships.recommendations.views import adopting, proving, reading, responding

app_name = "recommendations"
urlpatterns = [
    path("recommendations/", list_page("recommendations"), name="list"),
    path("recommendations/reports/", reading.sources, name="sources"),
    path("recommendations/reports/<int:pk>/", reading.source_page, name="source"),
    path("recommendations/addressees/", reading.addressees, name="addressees"),
    path("recommendations/moved/", reading.recent_changes, name="moved"),
    path("recommendations/coverage/", reading.recommendations_without_work, name="coverage"),
    path("recommendations/<int:pk>/", reading.detail, name="detail"),
    path("recommendations/<int:pk>/respond/<int:organisation>/", responding.respond_for, name="respond"),
    path("recommendations/<int:pk>/propose/", adopting.propose_recommendation, name="propose"),
    path("recommendations/responses/<int:pk>/", proving.response_page, name="response"),
    path("recommendations/responses/<int:pk>/add/<slug:kind>/", proving.add_to_response, name="evidence-add"),
    path("recommendations/evidence/<int:pk>/remove/", proving.remove_from_response, name="evidence-remove"),
    path("recommendations/adoptions/<int:pk>/", adopting.adoption_page, name="adoption"),
    path("recommendations/adoptions/<int:pk>/adopt/", adopting.adopt_recommendation, name="adopt"),
    path("recommendations/adoptions/<int:pk>/drop/", adopting.drop_from_partnership, name="drop"),
    path("recommendations/adoptions/<int:pk>/link/", adopting.link_to_outcome, name="outcome-link"),
    path("recommendations/outcomes/<int:pk>/remove/", adopting.unlink_from_outcome, name="outcome-remove"),
    path("organisations/<int:pk>/recommendations/", reading.organisation_recommendations, name="of-organisation"),
    path("partnerships/<int:pk>/recommendations/", adopting.partnership_recommendations, name="of-partnership"),
]
