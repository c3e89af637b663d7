# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: texts with Go templates, evaluated by helm, many of them in one call."""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._render.helm import Helm, what_helm_said

# All results in one value of one object, so that helm neither splits nor sorts nor reads them.
# JSON makes every number a float, which Go prints and compares as such: whole numbers are made whole again.
_TEMPLATE = """\
{{- define "whole" }}
{{- range $key, $value := . }}
{{- if kindIs "float64" $value }}
{{- if eq $value (floor $value) }}{{ $_ := set $ $key (int64 $value) }}{{ end }}
{{- else if kindIs "map" $value }}{{ include "whole" $value }}
{{- else if kindIs "slice" $value }}
{{- $items := list }}
{{- range $value }}{{ $box := dict "item" . }}{{ include "whole" $box }}{{ $items = append $items $box.item }}{{ end }}
{{- $_ := set $ $key $items }}
{{- end }}
{{- end }}
{{- end }}
{{- include "whole" .Values }}
{{- $texts := dict }}
{{- range $name, $text := .Files.Glob "texts/*" }}
{{- $_ := set $texts (base $name) (tpl (toString $text) $.Values) }}
{{- end }}
apiVersion: v1
kind: ConfigMap
metadata: {name: texts}
data: {texts: {{ $texts | toJson | b64enc }}}
"""
_MARK = "data: {texts: "


class TemplateError(ValueError):
    """A template that cannot be evaluated, in helm's words."""


def evaluated(helm: Helm, texts: Sequence[str], values: Mapping[str, Any]) -> list[str]:
    """The texts with their templates evaluated; the dot is ``values``. TemplateError, TimeoutError."""
    with tempfile.TemporaryDirectory(prefix="emco-edge-texts-") as folder:
        chart = Path(folder)
        (chart / "texts").mkdir()
        (chart / "templates").mkdir()
        (chart / "Chart.yaml").write_text("{apiVersion: v2, name: texts, version: 0.0.0}\n", encoding="utf-8")
        (chart / "templates" / "texts.yaml").write_text(_TEMPLATE, encoding="utf-8")
        for index, text in enumerate(texts):
            (chart / "texts" / str(index)).write_text(text, encoding="utf-8")
        answer = helm.run("template", "texts", str(chart), "--values", "-", given=json.dumps(values).encode())
    if answer.code != 0:
        raise TemplateError(what_helm_said(answer.errors))
    encoded = answer.output.partition(_MARK)[2].partition("}")[0]
    found: dict[str, str] = json.loads(base64.b64decode(encoded))
    return [found[str(index)] for index in range(len(texts))]
