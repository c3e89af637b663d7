# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dynamic Resource Allocation: slices, classes, claims, devices that are taken, and the CEL that is judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._hardware.cel import selects
from ansible_collections.emco.edge.plugins.module_utils._hardware.fit import Fit, fit
from ansible_collections.emco.edge.plugins.module_utils._hardware.room import cluster_room
from tests.unit.hardware.clusters import demand_of, fitted, nodes_of, pod

DRIVER = "gpu.example.com"
NODES = ({"name": "a", "labels": {"rack": "r1"}}, {"name": "b"})


def device(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, **more}


def slice_of(*devices: Mapping[str, Any], pool: str = "a", **more: Any) -> dict[str, Any]:
    where = {} if {"allNodes", "nodeSelector", "perDeviceNodeSelection"} & more.keys() else {"nodeName": pool}
    made = {
        "driver": DRIVER,
        "pool": {"name": pool, "generation": 1, "resourceSliceCount": 1},
        "devices": list(devices),
    }
    return {**made, **where, **more}


def cel(*expressions: str) -> list[dict[str, Any]]:
    return [{"cel": {"expression": one}} for one in expressions]


CLASS = {"name": "gpu", "selectors": cel(f'device.driver == "{DRIVER}"')}


def template(*requests: Mapping[str, Any], kind: str = "ResourceClaimTemplate", **devices: Any) -> dict[str, Any]:
    listed = [{"name": f"r{at}", **one} for at, one in enumerate(requests)]
    spec: dict[str, Any] = {"devices": {"requests": listed, **devices}}
    if kind == "ResourceClaimTemplate":
        spec = {"spec": spec}
    return {"apiVersion": "resource.k8s.io/v1", "kind": kind, "metadata": {"name": "gpus"}, "spec": spec}


def exactly(count: int = 1, **more: Any) -> dict[str, Any]:
    return {"exactly": {"deviceClassName": "gpu", "count": count, **more}}


CLAIMING = pod({"cpu": 1}, resourceClaims=[{"name": "gpu", "resourceClaimTemplateName": "gpus"}])
SHARING = pod({"cpu": 1}, resourceClaims=[{"name": "gpu", "resourceClaimName": "gpus"}])


def claimed(
    slices: Sequence[Mapping[str, Any]],
    claim: Mapping[str, Any],
    *,
    classes: Sequence[Mapping[str, Any]] = (CLASS,),
    claims: Sequence[Mapping[str, Any]] = (),
    spec: Mapping[str, Any] = CLAIMING,
    wanted: int = 6,
) -> Fit:
    facts = {"slices": list(slices), "classes": list(classes), "claims": list(claims)}
    return fitted(spec, nodes_of(*NODES), claim, wanted=wanted, devices=facts)


def taking(*names: str, pool: str = "a", **more: Any) -> dict[str, Any]:
    results = [{"driver": DRIVER, "pool": pool, "device": name, **more} for name in names]
    return {"namespace": "default", "name": "other", "allocation": {"devices": {"results": results}}}


FOUR = slice_of(*(device(f"d{at}", attributes={"model": {"string": "ab"[at % 2]}}) for at in range(4)))
MEMORY = slice_of(*(device(f"d{at}", capacity={"memory": {"value": f"{20 * (at + 1)}Gi"}}) for at in range(4)))
A_MODEL = f'device.attributes["{DRIVER}"].model == "a"'
R0_ALIKE = {"matchAttribute": f"{DRIVER}/model", "requests": ["r0"]}
COUNTED = [{"counterSet": "all", "counters": {"memory": {"value": "10Gi"}}}]


@pytest.mark.parametrize(
    ("slices", "claim", "claims", "want"),
    [
        ([FOUR], template(exactly()), [], 4),
        ([FOUR], template(exactly(2)), [], 2),
        ([FOUR], template(exactly(3)), [], 1),
        ([FOUR], template(exactly(5)), [], 0),
        ([FOUR], template({"deviceClassName": "gpu"}), [], 4),
        ([FOUR], template(exactly(deviceClassName="other")), [], 0),
        ([FOUR], template(exactly()), [taking("d0", "d1")], 2),
        ([FOUR], template(exactly()), [taking("d0", adminAccess=True)], 4),
        ([FOUR], template(exactly()), [taking("d0", pool="b")], 4),
        ([FOUR], template(exactly(), exactly()), [], 2),
        ([FOUR], template(exactly(selectors=cel(A_MODEL))), [], 2),
        ([FOUR], template(exactly(selectors=cel(A_MODEL)), exactly()), [], 2),
        ([FOUR], template(exactly(allocationMode="All")), [], 1),
        ([FOUR], template(exactly(allocationMode="All")), [taking("d0")], 0),
        ([FOUR], template(exactly(adminAccess=True)), [], 6),
        ([FOUR, slice_of(device("e"), pool="b")], template(exactly()), [], 5),
        ([{**FOUR, "pool": {"name": "a", "generation": 1, "resourceSliceCount": 2}}], template(exactly()), [], 0),
        ([FOUR, {**slice_of(device("n")), "pool": {"name": "a", "generation": 2}}], template(exactly()), [], 1),
        ([slice_of(device("x"), device("y"), pool="net", allNodes=True)], template(exactly()), [], 2),
        (
            [
                slice_of(
                    device("x"),
                    pool="net",
                    nodeSelector={"nodeSelectorTerms": [{"matchExpressions": [{"key": "rack", "operator": "Exists"}]}]},
                )
            ],
            template(exactly()),
            [],
            1,
        ),
        ([slice_of(device("x", nodeName="b"), pool="p", perDeviceNodeSelection=True)], template(exactly()), [], 1),
        ([slice_of(device("x", nodeName="c"), pool="p", perDeviceNodeSelection=True)], template(exactly()), [], 0),
        ([slice_of(device("x", taints=[{"key": "bad", "effect": "NoSchedule"}]))], template(exactly()), [], 0),
        ([slice_of(device("x", taints=[{"key": "bad", "effect": "None"}]))], template(exactly()), [], 1),
        (
            [slice_of(device("x", taints=[{"key": "bad", "effect": "NoExecute"}]))],
            template(exactly(tolerations=[{"key": "bad", "operator": "Exists"}])),
            [],
            1,
        ),
        ([MEMORY], template(exactly(capacity={"requests": {"memory": "50Gi"}})), [], 2),
        ([MEMORY], template(exactly(capacity={"requests": {"memory": "90Gi"}})), [], 0),
        (
            [
                slice_of(
                    *(device(f"p{at}", consumesCounters=COUNTED) for at in range(4)),
                    sharedCounters=[{"name": "all", "counters": {"memory": {"value": "25Gi"}}}],
                )
            ],
            template(exactly()),
            [],
            2,
        ),
        (
            [
                slice_of(
                    *(device(f"p{at}", consumesCounters=COUNTED) for at in range(4)),
                    sharedCounters=[{"name": "all", "counters": {"memory": {"value": "25Gi"}}}],
                )
            ],
            template(exactly()),
            [taking("p3")],
            1,
        ),
        (
            [
                slice_of(
                    *(device(f"p{at}", consumesCounters=COUNTED) for at in range(4)),
                    sharedCounters=[{"name": "all", "counters": {"memory": {"value": "35Gi"}}}],
                )
            ],
            template(exactly(2)),
            [],
            1,
        ),
        (
            [
                slice_of(
                    *(device(f"p{at}", consumesCounters=COUNTED) for at in range(4)),
                    sharedCounters=[{"name": "all", "counters": {"memory": {"value": "25Gi"}}}],
                )
            ],
            template(exactly(3)),
            [],
            0,
        ),
        (
            [slice_of(device("m", allowMultipleAllocations=True, capacity={"memory": {"value": "40Gi"}}))],
            template(exactly(capacity={"requests": {"memory": "10Gi"}})),
            [],
            4,
        ),
        (
            [slice_of(device("m", allowMultipleAllocations=True, capacity={"memory": {"value": "40Gi"}}))],
            template(exactly(capacity={"requests": {"memory": "10Gi"}})),
            [taking("m", consumedCapacity={"memory": "15Gi"})],
            2,
        ),
        (
            [FOUR],
            template({"firstAvailable": [{"deviceClassName": "gpu", "count": 3}, {"deviceClassName": "gpu"}]}),
            [],
            2,
        ),
        ([FOUR], template(exactly(2), constraints=[{"matchAttribute": f"{DRIVER}/model"}]), [], 2),
        ([FOUR], template(exactly(3), constraints=[{"matchAttribute": f"{DRIVER}/model"}]), [], 0),
        ([FOUR], template(exactly(2), constraints=[{"distinctAttribute": f"{DRIVER}/model"}]), [], 2),
        ([FOUR], template(exactly(3), constraints=[{"distinctAttribute": f"{DRIVER}/model"}]), [], 0),
        ([FOUR], template(exactly(2), constraints=[{"matchAttribute": f"{DRIVER}/nothing"}]), [], 0),
        ([FOUR], template(exactly(2), exactly(), constraints=[R0_ALIKE]), [], 1),
        ([FOUR], template(exactly(), exactly(3), constraints=[R0_ALIKE]), [], 1),
        ([FOUR], template(exactly(3), exactly(), constraints=[R0_ALIKE]), [], 0),
    ],
)
def test_claims_find_their_devices(
    slices: Sequence[Mapping[str, Any]], claim: Mapping[str, Any], claims: Sequence[Mapping[str, Any]], want: int
) -> None:
    answer = claimed(slices, claim, claims=claims)
    assert answer.copies == want
    assert (answer.verdict == "no") is (want == 0)


def test_shared_claim_is_allocated_once() -> None:
    answer = claimed([slice_of(device("d"))], template(exactly(), kind="ResourceClaim"), spec=SHARING)
    assert (answer.verdict, answer.copies) == ("possible", 6)
    none = claimed([slice_of(device("d"))], template(exactly(2), kind="ResourceClaim"), spec=SHARING)
    assert none.verdict == "no"


@pytest.mark.parametrize(
    ("namespace", "where", "verdict", "copies"),
    [
        ("default", {"allNodes": True}, "possible", 12),
        ("default", {"nodeName": "b"}, "possible", 8),
        ("default", {"nodeName": "gone"}, "no", 0),
        # A claim of the same name in another namespace is another claim, and has the only device.
        ("other", {"allNodes": True}, "no", 0),
    ],
)
def test_pods_go_where_the_devices_of_their_allocated_claim_are(
    namespace: str, where: Mapping[str, Any], verdict: str, copies: int
) -> None:
    results = [{"driver": DRIVER, "pool": "a", "device": "d"}]
    held = {"namespace": namespace, "name": "gpus", "allocation": {"devices": {"results": results}}}
    slices = [slice_of(device("d"), **where)]
    answer = claimed(slices, template(exactly(), kind="ResourceClaim"), claims=[held], spec=SHARING, wanted=12)
    assert (answer.verdict, answer.copies) == (verdict, copies)


def test_claim_that_is_not_rendered_is_unknown() -> None:
    unrelated = {"kind": "ConfigMap", "metadata": {"name": "x"}}
    assert claimed([FOUR], unrelated).verdict == "unknown"


def test_selector_that_cannot_be_judged_is_unknown_unless_nothing_could_fit() -> None:
    odd = template(exactly(selectors=cel('device.attributes["x"].name.startsWith("a")')))
    assert claimed([FOUR], odd, wanted=2).verdict == "unknown"
    assert claimed([], odd).verdict == "no"
    assert claimed([FOUR], template(exactly(9, selectors=cel("true || false")))).verdict == "no"


@pytest.mark.parametrize(
    ("resource", "want"),
    [("example.com/gpu", 4), ("deviceclass.resource.kubernetes.io/gpu", 4), ("example.com/other", 0)],
)
def test_extended_resource_may_be_served_by_a_device_class(resource: str, want: int) -> None:
    served = {**CLASS, "extendedResourceName": "example.com/gpu"}
    answer = claimed([FOUR], template(exactly()), classes=[served], spec=pod({"cpu": 1, resource: 1}))
    assert answer.copies == want


def test_devices_promised_to_one_app_are_gone_for_the_next() -> None:
    room = cluster_room(nodes_of(*NODES), {"slices": [FOUR], "classes": [CLASS], "claims": []})
    demand = demand_of(CLAIMING, template(exactly()))
    first = fit(room, (), (demand,), 3)
    assert (first.verdict, first.copies) == ("certain", 3)
    room.promise(first.placed)
    assert fit(room, (), (demand,), 3).copies == 1


DEVICE = {
    "attributes": {
        "model": {"string": "a100"},
        "healthy": {"bool": True},
        "cores": {"int": 8},
        "driverVersion": {"version": "1.10.2"},
        "net.example.com/speed": {"int": 100},
    },
    "capacity": {"memory": {"value": "40Gi"}},
}
OWN = f'device.attributes["{DRIVER}"]'


@pytest.mark.parametrize(
    ("expression", "want"),
    [
        (f'device.driver == "{DRIVER}"', True),
        ('device.driver == "other"', False),
        ('device.driver != "other"', True),
        (f'{OWN}.model == "a100"', True),
        (f"{OWN}.model == 'a100'", True),
        (f'{OWN}.model != "a100"', False),
        (f'{OWN}.missing == "a100"', False),
        (f"{OWN}.healthy", True),
        (f"{OWN}.healthy == true", True),
        (f"{OWN}.healthy == false", False),
        (f"{OWN}.cores >= 8", True),
        (f"{OWN}.cores > 8", False),
        (f"{OWN}.cores < 9", True),
        (f"{OWN}.cores <= 7", False),
        (f"{OWN}.cores == 8", True),
        ('device.attributes["net.example.com"].speed == 100', True),
        ('device.attributes["net.example.com"].model == "a100"', False),
        (f'"{DRIVER}" in device.attributes', True),
        ('"net.example.com" in device.attributes', True),
        ('"x.example.com" in device.attributes', False),
        (f'{OWN}.driverVersion.compareTo(semver("1.9.0")) >= 0', True),
        (f'{OWN}.driverVersion.compareTo(semver("1.11.0")) >= 0', False),
        (f'{OWN}.driverVersion.isGreaterThan(semver("1.10.2"))', False),
        (f'{OWN}.driverVersion.isLessThan(semver("2.0.0"))', True),
        (f'device.capacity["{DRIVER}"].memory.compareTo(quantity("40Gi")) == 0', True),
        (f'device.capacity["{DRIVER}"].memory.compareTo(quantity("41Gi")) >= 0', False),
        (f'device.capacity["{DRIVER}"].memory.isGreaterThan(quantity("10Gi"))', True),
        (f'device.driver == "{DRIVER}" && {OWN}.cores == 8', True),
        (f'device.driver == "{DRIVER}" && ({OWN}.cores == 9)', False),
        (f'{OWN}.cores == 9 && {OWN}.model.matches("a.*")', None),
        (f"{OWN}.cores == 8 || {OWN}.cores == 9", None),
        (f"{OWN}.model", None),
        (f'{OWN}.cores == "8"', None),
        (f'{OWN}.model.compareTo(semver("1.0.0")) >= 0', None),
        ("true", None),
        ("", None),
    ],
)
def test_forms_of_cel_are_judged_and_others_are_unknown(expression: str, want: bool | None) -> None:
    assert selects(expression, DRIVER, DEVICE) is want
