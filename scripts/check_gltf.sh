#!/bin/sh
# Write GLBs of one and of two people and hold them to Khronos' glTF validator: no errors, no warnings.
# Needs node and npm; the validator goes into build/gltf-validator once. Further GLBs may be named as arguments.
set -eu
here=$(CDPATH= cd "$(dirname "$0")" && pwd)
tools=$(dirname "$here")/build/gltf-validator
[ -d "$tools/node_modules/gltf-validator" ] || npm install --silent --no-audit --no-fund --prefix "$tools" gltf-validator@2.0.0-dev.3.10
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python}" "$here/sample_files.py" "$folder" >/dev/null
MOTIFMIX_NODE_MODULES=$tools/node_modules node "$here/check_gltf.mjs" "$folder"/*.glb "$@"
