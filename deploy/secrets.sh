#!/usr/bin/env bash
# Makes the secrets of compose.yaml, each once: what is there stays. They lie in deploy/secrets/, which git ignores.
#
# The folder is its owner's alone; its files can be read by all, since compose binds each into containers of other users.
set -euo pipefail
cd "$(dirname "$0")"
umask 022
mkdir -p secrets
chmod 700 secrets

random() { head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n'; }

for name in ray_token grafana_password; do
    if [ ! -s "secrets/$name" ]; then random >"secrets/$name"; fi
done
if [ ! -s secrets/s3_credentials ] || [ ! -s secrets/s3.json ]; then
    key=$(random)
    secret=$(random)
    printf '[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n' "$key" "$secret" >secrets/s3_credentials
    printf '{"identities": [{"name": "farm", "credentials": [{"accessKey": "%s", "secretKey": "%s"}], "actions": ["Admin", "Read", "Write", "List", "Tagging"]}]}\n' \
        "$key" "$secret" >secrets/s3.json
fi
