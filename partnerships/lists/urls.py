"""URLs of saved views and files of lists."""

from django.urls import path

from partnerships.lists import views

app_name = "lists"
urlpatterns = [
    path("views/", views.saved, name="views"),
    path("views/<int:pk>/", views.change, name="view"),
    path("views/<int:pk>/share/", views.share, name="share"),
    path("views/<int:pk>/default/", views.set_default, name="default"),
    path("views/<int:pk>/follow/", views.follow, name="follow"),
    path("views/<int:pk>/unfollow/", views.unfollow, name="unfollow"),
    path("views/<int:pk>/remove/", views.remove, name="remove"),
    path("files/<int:pk>/", views.file, name="file"),
    path("files/<int:pk>/download/", views.file_download, name="file-download"),
    path("files/<int:pk>/remove/", views.file_remove, name="file-remove"),
    path("<slug:kind>/views/new/", views.save, name="save"),
    path("<slug:kind>/no-default/", views.drop_default, name="no-default"),
    path("<slug:kind>/several/", views.bulk, name="bulk"),
    path("<slug:kind>/file/<slug:form>/", views.make_file, name="make-file"),
    path("<slug:kind>/export.<slug:form>", views.download, name="export"),
]
