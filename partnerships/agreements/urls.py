"""Addresses of partnerships."""

from __future__ import annotations

from django.urls import path

from partnerships.agreements.views import documents, parties, partnerships, posts
from partnerships.agreements.views.terms import drafting, printing, proposing, reading, signing

app_name = "agreements"
urlpatterns = [
    path("", partnerships.partnership_list, name="list"),
    path("new/", partnerships.create, name="create"),
    path("<int:pk>/", partnerships.detail, name="detail"),
    path("<int:pk>/settings/", partnerships.edit, name="edit"),
    path("<int:pk>/status/", partnerships.status, name="status"),
    path("<int:pk>/history/", partnerships.history, name="history"),
    path("<int:pk>/members/", parties.members, name="members"),
    path("<int:pk>/members/invite/", parties.invite, name="invite"),
    path("<int:pk>/members/<int:party>/answer/", parties.answer, name="answer"),
    path("<int:pk>/members/<int:party>/role/", parties.party_role, name="party-role"),
    path("<int:pk>/members/<int:party>/end/", parties.party_remove, name="party-remove"),
    path("<int:pk>/members/<int:party>/leave/", parties.leave, name="leave"),
    path("<int:pk>/terms/", reading.terms, name="terms"),
    path("<int:pk>/terms/compare/", reading.compare_terms, name="terms-compare"),
    path("<int:pk>/terms/propose/", proposing.propose, name="propose"),
    path("<int:pk>/terms/<int:number>/", reading.version, name="terms-version"),
    path("<int:pk>/terms/<int:number>/print/", printing.printed, name="terms-print"),
    path("<int:pk>/terms/<int:number>/pdf/", printing.pdf, name="terms-pdf"),
    path("<int:pk>/terms/<int:number>/word/", printing.word, name="terms-word"),
    path("<int:pk>/terms/<int:number>/sign/", signing.sign, name="terms-sign"),
    path("<int:pk>/terms/<int:number>/paper/<int:organisation>/", signing.paper, name="terms-paper"),
    path("<int:pk>/proposals/<int:number>/", drafting.proposal, name="proposal"),
    path("<int:pk>/proposals/<int:number>/put-up/", proposing.put_up, name="put-up"),
    path("<int:pk>/proposals/<int:number>/take-back/", proposing.take_back, name="take-back"),
    path("<int:pk>/proposals/<int:number>/withdraw/", proposing.withdraw, name="withdraw"),
    path("<int:pk>/proposals/<int:number>/update/", drafting.update, name="terms-update"),
    path("<int:pk>/proposals/<int:number>/about/", drafting.edit_about, name="terms-about"),
    path("<int:pk>/proposals/<int:number>/<slug:code>/add/", drafting.add_item, name="terms-add"),
    path("<int:pk>/proposals/<int:number>/<slug:code>/<slug:key>/", drafting.edit_item, name="terms-item"),
    path("<int:pk>/proposals/<int:number>/<slug:code>/<slug:key>/remove/", drafting.remove_item, name="terms-remove"),
    path("<int:pk>/proposals/<int:number>/<slug:code>/<slug:key>/move/", drafting.move_item, name="terms-move"),
    path("sign/<str:token>/", signing.sign_by_link, name="sign-by-link"),
    path("<int:pk>/documents/", documents.documents, name="documents"),
    path("<int:pk>/documents/add/", documents.document_add, name="document-add"),
    path("<int:pk>/documents/<int:document>/", documents.document_download, name="document-download"),
    path("<int:pk>/documents/<int:document>/remove/", documents.document_remove, name="document-remove"),
    path("<int:pk>/people/", posts.people, name="people"),
    path("<int:pk>/people/<int:organisation>/new/", posts.create, name="partnership-post-create"),
    path("posts/of/<int:organisation>/new/", posts.create, name="post-create"),
    path("posts/<int:pk>/", posts.post_page, name="post"),
    path("posts/<int:pk>/fill/", posts.fill, name="post-fill"),
    path("posts/<int:pk>/end/", posts.end, name="post-end"),
    path("contacts/<str:token>/", posts.contact_data, name="contact-data"),
    path("posts/holders/<int:pk>/details/", posts.contact, name="holder-contact"),
    path("posts/holders/<int:pk>/end/", posts.vacate, name="holder-vacate"),
]
