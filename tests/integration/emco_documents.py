# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents in EMCO's style with the packages that they name, written for tests."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path

DIG = "projects/{{ .Project }}/composite-apps/shop/v1/deployment-intent-groups/north"
CHART = {
    "Chart.yaml": "{apiVersion: v2, name: NAME, version: 1.0.0}\n",
    "values.yaml": "replicas: 1\ncolour: blue\nservice: {port: 80}\n",
    "templates/config.yaml": """\
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-NAME}
data:
  colour: {{ .Values.colour | quote }}
  site: {{ .Files.Get "files/site.conf" | quote }}
""",
    "templates/service.yaml": """\
apiVersion: v1
kind: Service
metadata: {name: {{ .Release.Name }}-NAME}
spec: {selector: {app: NAME}, ports: [{port: {{ .Values.service.port }}}]}
""",
    "templates/deployment.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}-NAME}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}}
    spec: {containers: [{name: NAME, image: docker.io/library/NAME:1}]}
""",
    "templates/before.yaml": """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-NAME-before
  annotations: {helm.sh/hook: "pre-install,pre-upgrade", helm.sh/hook-weight: "1"}
data: {event: {{ if .Release.IsUpgrade }}upgrade{{ else }}install{{ end }}}
""",
    "files/site.conf": "",
}

PREREQUISITES = """\
version: emco/v2
resourceContext: {anchor: controllers}
metadata: {name: hpa-placement-controller-1}
spec: {host: hpa-plc, port: 9099, type: placement, priority: 1}
---
version: emco/v2
resourceContext: {anchor: controllers}
metadata: {name: gac}
spec: {host: gac, port: 9033, type: action, priority: 1}
---
version: emco/v2
resourceContext: {anchor: controllers}
metadata: {name: ovnaction}
spec: {host: ovnaction, port: 9053, type: action, priority: 1}
---
version: emco/v2
resourceContext: {anchor: cluster-providers}
metadata: {name: {{ .Provider }}}
{{- range $index, $cluster := .Clusters }}
---
version: emco/v2
resourceContext: {anchor: cluster-providers/{{ $.Provider }}/clusters}
metadata: {name: {{ $cluster.Name }}}
file: {{ $cluster.Kubeconfig }}
---
version: emco/v2
resourceContext: {anchor: cluster-providers/{{ $.Provider }}/clusters/{{ $cluster.Name }}/labels}
clusterLabel: {{ $cluster.Label }}
---
version: emco/v2
resourceContext: {anchor: cluster-providers/{{ $.Provider }}/clusters/{{ $cluster.Name }}/kv-pairs}
metadata: {name: site}
spec: {kv: [{rack: r{{ $index }}}]}
{{- end }}
---
version: emco/v2
resourceContext: {anchor: projects}
metadata: {name: {{ .Project }}}
---
version: emco/v2
resourceContext: {anchor: projects/{{ .Project }}/logical-clouds}
metadata: {name: lc-admin}
spec: {level: "0"}
{{- range .Clusters }}
---
version: emco/v2
resourceContext: {anchor: projects/{{ $.Project }}/logical-clouds/lc-admin/cluster-references}
metadata: {name: ref-{{ .Name }}}
spec: {clusterProvider: {{ $.Provider }}, cluster: {{ .Name }}}
{{- end }}
---
version: emco/v2
resourceContext: {anchor: projects/{{ .Project }}/logical-clouds/lc-admin/instantiate}
"""

APPLICATION = """\
version: emco/v2
resourceContext: {anchor: projects/{{ .Project }}/composite-apps}
metadata: {name: shop, description: a shop}
spec: {compositeAppVersion: v1}
---
version: emco/v2
resourceContext: {anchor: projects/{{ .Project }}/composite-apps/shop/v1/apps}
metadata: {name: web}
file: web.tar.gz
---
version: emco/v2
resourceContext: {anchor: projects/{{ .Project }}/composite-apps/shop/v1/apps}
metadata: {name: api}
file: api.tar.gz
---
version: emco/v2
resourceContext: {anchor: projects/{{ .Project }}/composite-apps/shop/v1/apps/web/dependency}
metadata: {name: api-first}
spec: {app: api, opStatus: Ready, wait: 0}
---
version: emco/v2
resourceContext: {anchor: projects/{{ .Project }}/composite-apps/shop/v1/composite-profiles}
metadata: {name: standard}
---
version: emco/v2
resourceContext: {anchor: projects/{{ .Project }}/composite-apps/shop/v1/composite-profiles/standard/profiles}
metadata: {name: web-profile}
spec: {app: web}
file: web-profile.tar.gz
---
version: emco/v2
resourceContext: {anchor: projects/{{ .Project }}/composite-apps/shop/v1/composite-profiles/standard/profiles}
metadata: {name: api-profile}
spec: {app: api}
file: plain-profile.tar.gz
"""

GROUP = f"""\
version: emco/v2
resourceContext: {{anchor: projects/{{{{ .Project }}}}/composite-apps/shop/v1/deployment-intent-groups}}
metadata: {{name: north}}
spec:
  compositeProfile: standard
  version: r1
  logicalCloud: lc-admin
  overrideValues:
  - app: api
    values: {{service.port: "8080", replicas: "2"}}
---
version: emco/v2
resourceContext: {{anchor: {DIG}/generic-placement-intents}}
metadata: {{name: placement}}
---
version: emco/v2
resourceContext: {{anchor: {DIG}/generic-placement-intents/placement/app-intents}}
metadata: {{name: web-intent}}
spec:
  app: web
  intent:
    allOf:
    - {{clusterProvider: {{{{ .Provider }}}}, clusterLabel: north}}
---
version: emco/v2
resourceContext: {{anchor: {DIG}/generic-placement-intents/placement/app-intents}}
metadata: {{name: api-intent}}
spec:
  app: api
  intent:
    anyOf:
    - {{clusterProvider: {{{{ .Provider }}}}, cluster: edge-1}}
    - {{clusterProvider: {{{{ .Provider }}}}, cluster: edge-2}}
---
version: emco/v2
resourceContext: {{anchor: {DIG}/hpa-intents}}
metadata: {{name: api-hpa}}
spec: {{app: api}}
---
version: emco/v2
resourceContext: {{anchor: {DIG}/hpa-intents/api-hpa/hpa-resource-consumers}}
metadata: {{name: api-consumer}}
spec: {{apiVersion: apps/v1, kind: Deployment, replicas: 2, name: r1-api, container: api}}
---
version: emco/v2
resourceContext: {{anchor: {DIG}/hpa-intents/api-hpa/hpa-resource-consumers/api-consumer/resource-requirements}}
metadata: {{name: accelerator}}
spec: {{allocatable: true, resource: {{name: example.com/accelerator, requests: 1, limits: 1}}}}
---
version: emco/v2
resourceContext: {{anchor: {DIG}/hpa-intents/api-hpa/hpa-resource-consumers/api-consumer/resource-requirements}}
metadata: {{name: cpu}}
spec: {{allocatable: true, resource: {{name: cpu, requests: 2, limits: 4}}}}
---
version: emco/v2
resourceContext: {{anchor: {DIG}/intents}}
metadata: {{name: north-intents}}
spec:
  intent:
    genericPlacementIntent: placement
    hpa-placement-controller-1: api-hpa
    gac: changes
    ovnaction: nics
---
version: emco/v2
resourceContext: {{anchor: {DIG}/network-controller-intent}}
metadata: {{name: nics}}
---
version: emco/v2
resourceContext: {{anchor: {DIG}/network-controller-intent/nics/workload-intents}}
metadata: {{name: web}}
spec: {{app: web, workloadResource: r1-web, type: Deployment}}
---
version: emco/v2
resourceContext: {{anchor: {DIG}/network-controller-intent/nics/workload-intents/web/interfaces}}
metadata: {{name: net1}}
spec: {{interface: net1, name: blue-net, defaultGateway: "false"}}
---
version: emco/v2
resourceContext: {{anchor: {DIG}/generic-k8s-intents}}
metadata: {{name: changes}}
---
version: emco/v2
resourceContext: {{anchor: {DIG}/generic-k8s-intents/changes/resources}}
metadata: {{name: settings}}
spec:
  app: web
  newObject: "true"
  resourceGVK: {{apiVersion: v1, kind: ConfigMap, name: settings}}
---
version: emco/v2
resourceContext: {{anchor: {DIG}/generic-k8s-intents/changes/resources/settings/customizations}}
metadata: {{name: everywhere}}
spec:
  clusterSpecific: "false"
  clusterInfo: {{scope: label, clusterProvider: {{{{ .Provider }}}}, clusterLabel: north, mode: allow}}
  configMapOptions: {{dataKeyOptions: [{{fileName: settings.conf, keyName: main.conf}}]}}
files: [settings.conf]
---
version: emco/v2
resourceContext: {{anchor: {DIG}/generic-k8s-intents/changes/resources/settings/customizations}}
metadata: {{name: edge-2-only}}
spec:
  clusterSpecific: "true"
  clusterInfo: {{scope: name, clusterProvider: {{{{ .Provider }}}}, cluster: edge-1, mode: deny}}
  patchType: json
  patchJson: [{{op: add, path: /data/team_size, value: "10"}}]
---
version: emco/v2
resourceContext: {{anchor: {DIG}/generic-k8s-intents/changes/resources}}
metadata: {{name: web-deployment}}
spec:
  app: web
  newObject: "false"
  resourceGVK: {{apiVersion: apps/v1, kind: Deployment, name: r1-web}}
---
version: emco/v2
resourceContext: {{anchor: {DIG}/generic-k8s-intents/changes/resources/web-deployment/customizations}}
metadata: {{name: sidecar}}
spec:
  clusterSpecific: "true"
  clusterInfo: {{scope: name, clusterProvider: {{{{ .Provider }}}}, cluster: edge-1, mode: allow}}
  patchType: merge
files: [sidecar.yaml]
---
version: emco/v2
resourceContext: {{anchor: {DIG}/generic-k8s-intents/changes/resources}}
metadata: {{name: password}}
spec:
  app: web
  newObject: "true"
  resourceGVK: {{apiVersion: v1, kind: Secret, name: password}}
---
version: emco/v2
resourceContext: {{anchor: {DIG}/approve}}
---
version: emco/v2
resourceContext: {{anchor: {DIG}/instantiate}}
"""

TENANTS = """\
version: emco/v2
resourceContext: {anchor: projects/{{ .Project }}/logical-clouds}
metadata: {name: factory}
spec: {namespace: factory, labels: {tenant: factory}, user: {userName: factory-admin, type: certificate}}
---
version: emco/v2
resourceContext: {anchor: projects/{{ .Project }}/logical-clouds/factory/cluster-references}
metadata: {name: ref}
spec: {clusterProvider: {{ .Provider }}, cluster: edge-1}
---
version: emco/v2
resourceContext: {anchor: projects/{{ .Project }}/logical-clouds/factory/user-permissions}
metadata: {name: own}
spec: {namespace: factory, apiGroups: ["", apps], resources: [configmaps, services, deployments, pods], verbs: ["*"]}
---
version: emco/v2
resourceContext: {anchor: projects/{{ .Project }}/logical-clouds/factory/cluster-quotas}
metadata: {name: small}
spec: {pods: "20", count/deployments.apps: "10"}
---
version: emco/v2
resourceContext: {anchor: projects/{{ .Project }}/logical-clouds/factory/instantiate}
---
version: emco/v2
resourceContext: {anchor: projects/{{ .Project }}/logical-clouds}
metadata: {name: operators}
spec: {level: "1", namespace: operators, user: {userName: operator, type: certificate}}
---
version: emco/v2
resourceContext: {anchor: projects/{{ .Project }}/logical-clouds/operators/cluster-references}
metadata: {name: ref}
spec: {clusterProvider: {{ .Provider }}, cluster: edge-1}
---
version: emco/v2
resourceContext: {anchor: projects/{{ .Project }}/logical-clouds/operators/user-permissions}
metadata: {name: own}
spec: {namespace: operators, apiGroups: [""], resources: [pods], verbs: [get, list]}
---
version: emco/v2
resourceContext: {anchor: projects/{{ .Project }}/logical-clouds/operators/user-permissions}
metadata: {name: everywhere}
spec: {namespace: "", apiGroups: [""], resources: [nodes], verbs: [get, list]}
---
version: emco/v2
resourceContext: {anchor: projects/{{ .Project }}/logical-clouds/operators/instantiate}
"""

NETWORKS = """\
{{- range .Clusters }}
---
version: emco/v2
resourceContext: {anchor: cluster-providers/{{ $.Provider }}/clusters/{{ .Name }}/networks}
metadata: {name: blue-net}
spec:
  cniType: ovn4nfv
  ipv4Subnets: [{name: s1, subnet: 10.9.0.0/24, gateway: 10.9.0.1/24, excludeIps: "10.9.0.2 10.9.0.5..10.9.0.9"}]
{{- end }}
---
version: emco/v2
resourceContext: {anchor: cluster-providers/{{ .Provider }}/clusters/edge-1/provider-networks}
metadata: {name: uplink}
spec:
  cniType: ovn4nfv
  ipv4Subnets: [{name: s1, subnet: 172.20.0.0/24, gateway: 172.20.0.1/24}]
  providerNetType: VLAN
  vlan:
    vlanId: "102"
    providerInterfaceName: eth1
    logicalInterfaceName: eth1.102
    vlanNodeSelector: specific
    nodeLabelList: ["kubernetes.io/hostname=edge-1-a"]
{{- range .Clusters }}
---
version: emco/v2
resourceContext: {anchor: cluster-providers/{{ $.Provider }}/clusters/{{ .Name }}/apply}
{{- end }}
"""

_INSIDE = "projects/{{ .Project }}/composite-apps/shop/v1/deployment-intent-groups/inside"
INSIDE = f"""\
version: emco/v2
resourceContext: {{anchor: projects/{{{{ .Project }}}}/composite-apps/shop/v1/deployment-intent-groups}}
metadata: {{name: inside}}
spec: {{compositeProfile: standard, version: r2, logicalCloud: factory}}
---
version: emco/v2
resourceContext: {{anchor: {_INSIDE}/generic-placement-intents}}
metadata: {{name: placement}}
{{{{- range (list "web" "api") }}}}
---
version: emco/v2
resourceContext: {{anchor: {_INSIDE.replace(".Project", "$.Project")}/generic-placement-intents/placement/app-intents}}
metadata: {{name: {{{{ . }}}}}}
spec: {{app: {{{{ . }}}}, intent: {{allOf: [{{clusterProvider: {{{{ $.Provider }}}}, cluster: edge-1}}]}}}}
{{{{- end }}}}
---
version: emco/v2
resourceContext: {{anchor: {_INSIDE}/intents}}
metadata: {{name: all}}
spec: {{intent: {{genericPlacementIntent: placement}}}}
---
version: emco/v2
resourceContext: {{anchor: {_INSIDE}/approve}}
---
version: emco/v2
resourceContext: {{anchor: {_INSIDE}/instantiate}}
"""


def packed(path: Path, files: Mapping[str, str], top: str = "") -> Path:
    """A tar.gz as EMCO takes it, with the files below the folder ``top``."""
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            content = text.encode()
            member = tarfile.TarInfo(f"{top}/{name}" if top else name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def chart(name: str) -> dict[str, str]:
    """The files of a small chart of that name."""
    return {file: text.replace("NAME", name) for file, text in CHART.items()}


def large_chart(name: str) -> dict[str, str]:
    """A chart of the size that people ship: 80 templates, a sub-chart, and a definition of 400 kB."""
    template = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: "{{ .Release.Name }}-{{ .Chart.Name }}-NUMBER", labels: {chart: {{ .Chart.Name }}}}
data: {release: {{ .Release.Name | quote }}, colour: {{ .Values.colour | default "none" | quote }}}
"""
    texts = {f"p{index}": {"type": "string", "description": "x" * 360} for index in range(1000)}
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": texts}}}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "larges.docs.example.com"},
        "spec": {
            "group": "docs.example.com",
            "scope": "Namespaced",
            "names": {"kind": "Large", "plural": "larges"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }
    return {
        "Chart.yaml": f"{{apiVersion: v2, name: {name}, version: 1.0.0}}\n",
        "values.yaml": "sub: {colour: red}\n",
        **{f"templates/{number}.yaml": template.replace("NUMBER", str(number)) for number in range(80)},
        "crds/large.yaml": json.dumps(definition),
        "charts/sub/Chart.yaml": "{apiVersion: v2, name: sub, version: 1.0.0}\n",
        **{f"charts/sub/templates/{number}.yaml": template.replace("NUMBER", str(number)) for number in range(5)},
    }


def written_documents(folder: Path) -> Path:
    """A folder with all documents and what they refer to; one chart in a folder, one at the top of its package."""
    folder.mkdir(parents=True, exist_ok=True)
    packed(folder / "web.tar.gz", chart("web"), "web")
    packed(folder / "api.tar.gz", chart("api"))
    values = "{type: {values: override_values.yaml}}\n"
    packed(folder / "plain-profile.tar.gz", {"manifest.yaml": values, "override_values.yaml": "{}\n"})
    manifest = """\
version: v1
type:
  values: override_values.yaml
  configresource:
  - {filepath: extra/site.conf, chartpath: web/files/site.conf}
"""
    files = {"manifest.yaml": manifest, "override_values.yaml": "colour: green\n", "extra/site.conf": "site=north\n"}
    packed(folder / "web-profile.tar.gz", files)
    (folder / "settings.conf").write_text("level=info\n", encoding="utf-8")
    sidecar = "spec: {template: {spec: {containers: [{name: sidecar, image: docker.io/library/sidecar:1}]}}}\n"
    (folder / "sidecar.yaml").write_text(sidecar, encoding="utf-8")
    texts = {"1-prerequisites": PREREQUISITES, "2-tenants": TENANTS, "3-networks": NETWORKS}
    for name, text in {**texts, "4-application": APPLICATION, "5-group": GROUP, "6-inside": INSIDE}.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder
