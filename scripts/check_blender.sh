#!/bin/sh
# Open our BVH and GLB in Blender with its importers' default settings; assert an upright person of human size whose feet
# stand on the floor, and render a strip: build/blender/*.png. Look at it.
# Blender comes as the wheel bpy (4.5 LTS, GPL, exactly Python 3.11, 373 MB) in an environment of its own, because it
# clashes with numpy 2. Further BVH and GLB files may be named as arguments; BLENDER_PYTHON names an environment at hand.
set -eu
here=$(CDPATH= cd "$(dirname "$0")" && pwd)
work=$(dirname "$here")/build/blender
mkdir -p "$work"
blender=${BLENDER_PYTHON:-$work/venv/bin/python}
if [ ! -x "$blender" ]; then
  "${PYTHON311:-python3.11}" -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet bpy==4.5.15
fi
"${PYTHON:-python}" "$here/sample_files.py" "$work/samples" >/dev/null
for file in "$work"/samples/walk.bvh "$work"/samples/walk.glb "$work"/samples/two.glb "$@"; do
  "$blender" "$here/check_blender.py" "$file" "$work"
done
