# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what a site changes in everything that is deployed there. Image mirrors and pull secrets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._render.objects import RenderedObject
from ansible_collections.emco.edge.plugins.module_utils._render.pod_specs import PodSpec, with_pod_spec

_DEFAULT_REGISTRY = "docker.io"
_DEFAULT_REGISTRY_ALIAS = "index.docker.io"
_CONTAINER_LISTS = ("initContainers", "containers", "ephemeralContainers")


def for_site(
    objects: Iterable[RenderedObject], *, image_mirrors: Mapping[str, str], pull_secrets: Sequence[str] = ()
) -> tuple[RenderedObject, ...]:
    """The objects with images taken from the site's mirrors, and its pull secrets named in every pod spec.

    ``image_mirrors`` maps a registry, or a registry and the beginning of a path, to what stands in its place:
    ``{docker.io: registry.site.example:5000, quay.io/team: registry.site.example:5000/team}``. The longest wins.
    """
    if not image_mirrors and not pull_secrets:
        return tuple(objects)
    mirrors = tuple(sorted((_prefix(source), target.rstrip("/")) for source, target in image_mirrors.items()))
    change = partial(_changed, mirrors=mirrors, pull_secrets=tuple(pull_secrets))
    return tuple(_for_site(one, with_pod_spec(one.object, change)) for one in objects)


def _for_site(one: RenderedObject, manifest: Mapping[str, Any]) -> RenderedObject:
    return one if manifest is one.object else one.with_object(manifest)


def _changed(spec: PodSpec, *, mirrors: tuple[tuple[str, str], ...], pull_secrets: tuple[str, ...]) -> PodSpec:
    changed = dict(spec)
    for key in _CONTAINER_LISTS:
        if isinstance(spec.get(key), list):
            changed[key] = [_with_image(container, "image", mirrors) for container in spec[key]]
    if isinstance(spec.get("volumes"), list):
        changed["volumes"] = [_image_volume(volume, mirrors) for volume in spec["volumes"]]
    if pull_secrets:
        present = list(spec.get("imagePullSecrets") or [])
        named = {secret.get("name") for secret in present if isinstance(secret, Mapping)}
        changed["imagePullSecrets"] = [*present, *({"name": name} for name in pull_secrets if name not in named)]
    return changed


def _image_volume(volume: Any, mirrors: tuple[tuple[str, str], ...]) -> Any:
    if isinstance(volume, Mapping) and isinstance(volume.get("image"), Mapping):
        return {**volume, "image": _with_image(volume["image"], "reference", mirrors)}
    return volume


def _with_image(holder: Any, key: str, mirrors: tuple[tuple[str, str], ...]) -> Any:
    if isinstance(holder, Mapping) and isinstance(holder.get(key), str) and holder[key]:
        return {**holder, key: mirrored(holder[key], mirrors)}
    return holder


@lru_cache(maxsize=4096)
def mirrored(image: str, mirrors: tuple[tuple[str, str], ...]) -> str:
    """Where ``image`` comes from at a site with ``mirrors`` (pairs of full prefix and target); tag and digest stay."""
    full = full_reference(image)
    fitting = [(source, target) for source, target in mirrors if full.startswith(source) and full[len(source)] in "/:@"]
    if not fitting:
        return image
    source, target = max(fitting, key=lambda pair: len(pair[0]))
    return target + full[len(source) :]


def full_reference(image: str) -> str:
    """An image with its registry: ``nginx`` is ``docker.io/library/nginx`` (distribution's reference rules)."""
    first, slash, rest = image.partition("/")
    if not slash or not ("." in first or ":" in first or first == "localhost" or first != first.lower()):
        first, rest = _DEFAULT_REGISTRY, image
    elif first == _DEFAULT_REGISTRY_ALIAS:
        first = _DEFAULT_REGISTRY
    if first == _DEFAULT_REGISTRY and "/" not in rest:
        rest = f"library/{rest}"
    return f"{first}/{rest}"


def _prefix(source: str) -> str:
    registry, slash, path = source.rstrip("/").partition("/")
    return (_DEFAULT_REGISTRY if registry == _DEFAULT_REGISTRY_ALIAS else registry) + slash + path
