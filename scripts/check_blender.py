"""Open one BVH or GLB in Blender as a person would and check what stands there: ``python check_blender.py FILE FOLDER``.

Runs in an environment with ``bpy``; knows nothing of motifmix. Blender's own importers with their default settings.
Checked: height 1.4 to 2 m along Blender's Z, head above hips above feet in most frames, the body's lowest point in the
median within 6 cm of the floor, walking along the way the person faces. FOLDER receives a strip of six poses, PNG.
"""

import math
import sys
from pathlib import Path

import bpy
import numpy as np
from mathutils import Vector

FLOOR_SLACK, HEIGHTS, POSES = 0.06, (1.4, 2.0), 6
PANEL = (240, 360)


def main(path: Path, folder: Path) -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    if path.suffix == ".bvh":
        bpy.ops.import_anim.bvh(filepath=str(path))
    else:
        bpy.ops.import_scene.gltf(filepath=str(path))
    scene = bpy.context.scene
    armatures = [item for item in bpy.data.objects if item.type == "ARMATURE"]
    check(bool(armatures), f"{path.name}: no armature was imported")
    first, last = (round(edge) for edge in armatures[0].animation_data.action.frame_range)
    fps = scene.render.fps / scene.render.fps_base
    print(f"{path.name}: {len(armatures)} armature(s), frames {first} to {last} at {fps:g} fps of the scene")
    tracks = {armature.name: track(armature, scene, first, last) for armature in armatures}
    for name, points in tracks.items():
        examine(path.name, name, points)
    render(path, folder, armatures, first, last)


def track(armature: bpy.types.Object, scene: bpy.types.Scene, first: int, last: int) -> dict[str, np.ndarray]:
    """Return the paths of bones and of the mesh's highest and lowest points in Blender's world, ``[frames, 3]``."""
    frames: list[dict[str, Vector]] = []
    meshes = [item for item in bpy.data.objects if item.type == "MESH" and item.find_armature() == armature]
    by_bones = not meshes
    for number in range(first, last + 1):
        scene.frame_set(number)
        places: dict[str, Vector] = {}
        for bone in armature.pose.bones:
            places[bone.name] = armature.matrix_world @ bone.head
            if by_bones:  # Blender guesses the tails of glTF's joints; the mesh tells what stands there
                places[bone.name + " tip"] = armature.matrix_world @ bone.tail
        for mesh in meshes:
            shape = mesh.evaluated_get(bpy.context.evaluated_depsgraph_get())
            vertices = [shape.matrix_world @ vertex.co for vertex in shape.data.vertices]
            places["mesh top"] = max(vertices, key=lambda spot: spot.z)
            places["mesh sole"] = min(vertices, key=lambda spot: spot.z)
        frames.append(places)
    return {name: np.array([list(frame[name]) for frame in frames]) for name in frames[0]}


def examine(file: str, person: str, points: dict[str, np.ndarray]) -> None:
    def at(name: str) -> np.ndarray:
        return next(track for bone, track in points.items() if bone in (name, name + "_1", name + "_2"))

    everything = np.stack(list(points.values()))
    feet = np.minimum(at("left_foot")[:, 2], at("right_foot")[:, 2])
    floor = float(np.median(everything[..., 2].min(axis=0)))  # a hand or a heel may dip for a moment
    height = float(np.median(everything[..., 2].max(axis=0) - everything[..., 2].min(axis=0)))
    upright = (at("head")[:, 2] > at("pelvis")[:, 2] + 0.3) & (at("pelvis")[:, 2] > feet + 0.3)
    to_left = at("left_hip") - at("right_hip")
    ahead = np.cross(to_left, [0.0, 0.0, 1.0])[:, :2]
    travel = at("pelvis")[-1, :2] - at("pelvis")[0, :2]
    print(
        f"  {person}: height {height:.2f} m, lowest point in the median {floor:+.3f} m, upright in {upright.mean():.0%} of frames"
    )
    check(HEIGHTS[0] <= height <= HEIGHTS[1], f"{file}: {person} is {height:.2f} m tall in Blender")
    check(upright.mean() > 0.85, f"{file}: {person} is upright in {upright.mean():.0%} of frames only")
    check(abs(floor) < FLOOR_SLACK, f"{file}: {person}'s feet are {floor:+.3f} m off the floor")
    if np.linalg.norm(travel) > 0.8:
        along = float((ahead.mean(axis=0) / np.linalg.norm(ahead.mean(axis=0))) @ (travel / np.linalg.norm(travel)))
        print(f"  {person}: travels {np.linalg.norm(travel):.2f} m, cosine to where it faces {along:+.2f}")
        check(along > 0.5, f"{file}: {person} does not travel the way it faces ({along:+.2f})")


def render(path: Path, folder: Path, armatures: list[bpy.types.Object], first: int, last: int) -> None:
    """Render evenly spaced poses with Cycles on the CPU and join them."""
    scene = bpy.context.scene
    clay_bones(armatures)
    bpy.ops.mesh.primitive_plane_add(size=60)
    bpy.context.object.data.materials.append(material("floor", (0.5, 0.5, 0.48)))
    sun = bpy.data.objects.new("sun", bpy.data.lights.new("sun", "SUN"))
    sun.data.energy, sun.data.angle, sun.rotation_euler = 1.5, 0.15, (0.6, 0.2, 0.5)
    scene.collection.objects.link(sun)
    scene.world = bpy.data.worlds.new("sky")
    scene.world.use_nodes = True
    scene.world.node_tree.nodes["Background"].inputs[0].default_value = (0.55, 0.6, 0.68, 1.0)
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    scene.collection.objects.link(camera)
    scene.camera = camera
    scene.render.engine = "CYCLES"
    scene.cycles.device, scene.cycles.samples, scene.cycles.use_denoising = "CPU", 16, False
    scene.render.resolution_x, scene.render.resolution_y = PANEL
    scene.view_settings.view_transform = "Standard"
    panels = []
    for number in np.rint(np.linspace(first, last, POSES)).astype(int):
        scene.frame_set(int(number))
        spots = np.array([list(a.matrix_world @ b.head) for a in armatures for b in a.pose.bones])
        middle = Vector(((spots.min(axis=0) + spots.max(axis=0)) / 2.0).tolist())
        middle.z = 0.85
        wide = max(float(np.ptp(spots[:, :2], axis=0).max()), 1.0)
        camera.location = middle + Vector((0.55, -0.8, 0.22)) * (3.6 + 1.6 * wide)
        camera.rotation_euler = (middle - camera.location).to_track_quat("-Z", "Y").to_euler()
        camera.data.angle = math.radians(35.0)
        scene.render.filepath = str(folder / "panel.png")
        bpy.ops.render.render(write_still=True)
        image = bpy.data.images.load(scene.render.filepath)
        panels.append(np.array(image.pixels[:], dtype=np.float32).reshape(PANEL[1], PANEL[0], 4))
        bpy.data.images.remove(image)
    (folder / "panel.png").unlink()
    whole = np.concatenate(panels, axis=1)
    picture = bpy.data.images.new("strip", whole.shape[1], whole.shape[0])
    picture.pixels.foreach_set(whole.ravel())
    picture.filepath_raw, picture.file_format = str(folder / f"{path.stem}_{path.suffix[1:]}.png"), "PNG"
    picture.save()
    print(f"  strip: {picture.filepath_raw}")


def clay_bones(armatures: list[bpy.types.Object]) -> None:
    """Give every bone of a figure without a mesh a slim spindle, so that there is something to see."""
    if any(item.type == "MESH" for item in bpy.data.objects):
        return
    clay = material("clay", (0.7, 0.45, 0.3))
    for armature in armatures:
        for bone in armature.pose.bones:
            bpy.ops.mesh.primitive_cone_add(vertices=12, radius1=0.05, radius2=0.02, depth=bone.length)
            spindle = bpy.context.object
            spindle.data.materials.append(clay)
            spindle.data.transform(spindle.matrix_world.inverted())
            # A cone stands along Z about its middle, a bone runs along Y from its head.
            for vertex in spindle.data.vertices:
                x, y, z = vertex.co
                vertex.co = (x, z - bone.length / 2.0, -y)
            spindle.matrix_world.identity()
            spindle.parent, spindle.parent_type, spindle.parent_bone = armature, "BONE", bone.name


def material(name: str, colour: tuple[float, float, float]) -> bpy.types.Material:
    made = bpy.data.materials.new(name)
    made.use_nodes = True
    made.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = (*colour, 1.0)
    return made


def check(holds: bool, complaint: str) -> None:
    if not holds:
        raise SystemExit(complaint)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
