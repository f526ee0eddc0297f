#!/bin/sh
# copy-programs.sh FROM TO NAME…: copies programs with every library that they need, so that they run on their own.
set -eu
from=$1
to=$2
shift 2
mkdir -p "$to/bin" "$to/lib"
for name in "$@"; do
    cp -L "$from/$name" "$to/lib/$name"
    # The C library and its loader stay the system's.
    ldd "$from/$name" | awk '$2 == "=>" && $3 ~ /^\// && $1 !~ /^(libc|libm|libdl|libpthread|librt|libresolv)\.so/ {print $3}' |
        while read -r library; do cp -L "$library" "$to/lib/"; done
    printf '#!/bin/sh\nLD_LIBRARY_PATH=%s/lib exec %s/lib/%s "$@"\n' "$to" "$to" "$name" > "$to/bin/$name"
    chmod 755 "$to/bin/$name"
done
