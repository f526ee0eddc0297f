"""URLs of saved views and files of lists."""

from django.urls import path

from partnerships.lists import views

app_name = "lists"
urlpatterns = [
    path("views/", views.saved_views, name="views"),
    path("views/<int:pk>/", views.edit_view, name="view"),
    path("views/<int:pk>/share/", views.share_own_view, name="share"),
    path("views/<int:pk>/default/", views.set_default_view, name="default"),
    path("views/<int:pk>/follow/", views.follow_saved_view, name="follow"),
    path("views/<int:pk>/unfollow/", views.unfollow_saved_view, name="unfollow"),
    path("views/<int:pk>/remove/", views.remove_own_view, name="remove"),
    path("files/<int:pk>/", views.file_page, name="file"),
    path("files/<int:pk>/download/", views.file_download, name="file-download"),
    path("files/<int:pk>/remove/", views.file_remove, name="file-remove"),
    path("<slug:kind>/views/new/", views.save_as_view, name="save"),
    path("<slug:kind>/no-default/", views.drop_default_view, name="no-default"),
    path("<slug:kind>/several/", views.change_several, name="bulk"),
    path("<slug:kind>/file/<slug:form>/", views.make_file, name="make-file"),
    path("<slug:kind>/export.<slug:form>", views.download, name="export"),
]
