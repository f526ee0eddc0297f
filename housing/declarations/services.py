"""Settings of database, broker and files."""

from __future__ import annotations

from housing.declarations import checks
from housing.declarations.setting import (
    FILE,
    FOLDER,
    LIST,
    MIGRATE,
    NUMBER,
    ORIGIN,
    SENDERS,
    WEB,
    WORKER,
    Section,
    Setting,
)
from housing.environment import VAR_DIR

FILES = Section(
    "Files",
    (
        Setting(
            name="MEDIA_ROOT",
            kind=FOLDER,
            default=str(VAR_DIR / "media"),
            default_words="`var/media`",
            example="/srv/common-ground/media",
            meaning="The folder of uploaded files, unless `FILES_BUCKET` is set. Back it up with the database.",
        ),
        Setting(
            name="FILES_BUCKET",
            example="common-ground",
            meaning="The bucket for uploaded files on S3-compatible storage, instead of `MEDIA_ROOT` "
            "([files](growing.md#files)).",
        ),
        Setting(
            name="FILES_ENDPOINT",
            kind=ORIGIN,
            default_words="Amazon's for the region",
            example="https://storage.example",
            check=checks.only_with("FILES_BUCKET"),
            meaning="The address of the S3-compatible storage.",
        ),
        Setting(
            name="FILES_REGION",
            default="eu-west-2",
            meaning="The region of the bucket. Most storage that you run yourself accepts any.",
        ),
        Setting(
            name="FILES_ACCESS_KEY",
            default_words="what the machine's role gives",
            secret=True,
            check=checks.only_with("FILES_BUCKET"),
            meaning="The id of the access key for the bucket.",
        ),
        Setting(
            name="FILES_SECRET_KEY",
            default_words="what the machine's role gives",
            secret=True,
            check=checks.only_with("FILES_ACCESS_KEY"),
            meaning="The secret access key for the bucket.",
        ),
        Setting(
            name="JOURNAL_ROOT",
            kind=FOLDER,
            default=str(VAR_DIR / "journal"),
            default_words="`var/journal`",
            example="/srv/common-ground/journal",
            meaning="The folder of the journal that `after_restore` applies. Keep it on a different disk from the "
            "database, and never restore over it. With several machines: one folder that all share (not over NFS, "
            "where two machines may overwrite each other's lines), or one for each, collected before a restore.",
        ),
        Setting(
            name="SURVEY_KEYS_ROOT",
            kind=FOLDER,
            default=str(VAR_DIR / "survey-keys"),
            default_words="`var/survey-keys`",
            example="/srv/common-ground/survey-keys",
            meaning="The folder with the private keys of open surveys. Each key is deleted when its survey closes. "
            "All machines share this folder. Only the application may read it, and it must never be in a backup "
            "([surveys](surveys.md)).",
        ),
        Setting(
            name="STATIC_ROOT",
            kind=FOLDER,
            default=str(VAR_DIR / "static"),
            default_words="`var/static`",
            needed_by=f"{WEB}, `collectstatic`",
            meaning="The folder into which `collectstatic` puts stylesheets and scripts, and from which web serves "
            "them.",
        ),
        Setting(
            name="MAINTENANCE_FILE",
            kind=FILE,
            default=str(VAR_DIR / "maintenance"),
            default_words="`var/maintenance`",
            needed_by=WEB,
            meaning="While this file exists, pages answer 503 (`manage.py maintenance`). Web keeps one-click "
            "unsubscribes beside it, and must be able to write there.",
        ),
    ),
)

SERVICES = Section(
    "Database and broker",
    (
        Setting(
            name="DATABASE_ROLE",
            default="web",
            check=checks.one_of("web", "worker", "owner"),
            meaning="Which of the three `DATABASE_…URL` settings a process uses: `web`, `worker` or `owner`. You need "
            "not set it for `manage.py`, worker and account sender.",
        ),
        Setting(
            name="DATABASE_URL",
            default="postgres://common_ground@localhost/common_ground",
            default_words="embedded",
            secret=True,
            required=True,
            example="postgres://common_ground:PASSWORD@database.example:5432/common_ground",
            check=checks.scheme("postgres", "postgresql"),
            meaning="The URL of the database with the role of web processes.",
        ),
        Setting(
            name="DATABASE_WORKER_URL",
            default=lambda values: values["DATABASE_URL"],
            default_words="`DATABASE_URL`",
            secret=True,
            required=True,
            needed_by=f"{SENDERS}, `manage.py`",
            example="postgres://common_ground_worker:PASSWORD@database.example:5432/common_ground",
            check=checks.scheme("postgres", "postgresql"),
            meaning="The URL of the same database with the role of workers and of `manage.py`.",
        ),
        Setting(
            name="DATABASE_OWNER_URL",
            default_words="unset",
            secret=True,
            required=True,
            needed_by=MIGRATE,
            example="postgres://common_ground_owner:PASSWORD@database.example:5432/common_ground",
            check=checks.scheme("postgres", "postgresql"),
            meaning="The URL of the same database with the role that owns the tables. Leave it out of the environment "
            "of web, worker and beat.",
        ),
        Setting(
            name="DATABASE_REPLICA_URL",
            default_words="unset",
            secret=True,
            needed_by=f"{WEB}, {WORKER}",
            example="postgres://common_ground_worker:PASSWORD@standby.example:5432/common_ground",
            check=checks.scheme("postgres", "postgresql"),
            meaning="The URL of a streaming standby of the database, with the role of workers. Files that a worker "
            "makes and frozen reports are read there ([a standby](growing.md#a-standby-of-the-database)).",
        ),
        Setting(
            name="CONN_MAX_AGE",
            kind=NUMBER,
            default=60,
            meaning="How many seconds to keep an idle connection to the database "
            "([connections](deploy.md#connections-to-the-database)).",
        ),
        Setting(
            name="REDIS_URL",
            default="redis://localhost:6379/0",
            default_words="embedded",
            secret=True,
            required=True,
            needed_by=f"{WEB}, {WORKER}, beat",
            example="redis://broker.example:6379/0",
            check=checks.scheme("redis", "rediss", "redis+socket", undocumented=("memory",)),
            meaning="The broker: `redis://`, `rediss://` or `redis+socket://`.",
        ),
        Setting(
            name="REDIS_SENTINELS",
            kind=LIST,
            default=[],
            needed_by=f"{WEB}, {WORKER}, beat",
            example="broker-1.example:26379,broker-2.example:26379,broker-3.example:26379",
            check=checks.sentinels,
            meaning="The sentinels of Redis or Valkey, if a replica takes over when the broker dies. The host in "
            "`REDIS_URL` is then the sentinels' name for the primary ([a broker that fails "
            "over](growing.md#the-broker)).",
        ),
        Setting(
            name="REDIS_SENTINEL_PASSWORD",
            secret=True,
            needed_by=f"{WEB}, {WORKER}, beat",
            check=checks.only_with("REDIS_SENTINELS"),
            meaning="The password of the sentinels, if they need one. The password of the broker is in `REDIS_URL`.",
        ),
        Setting(
            name="WORKER_CONCURRENCY",
            kind=NUMBER,
            default=2,
            needed_by=WORKER,
            check=checks.at_least(1),
            meaning="How many processes one worker has.",
        ),
    ),
)
