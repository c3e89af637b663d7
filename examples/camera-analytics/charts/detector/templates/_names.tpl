{{/* Names are <release>-detector: several releases fit into one namespace. */}}
{{- define "detector.name" -}}
{{ printf "%s-detector" .Release.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "detector.selector" -}}
app.kubernetes.io/name: detector
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "detector.labels" -}}
{{ include "detector.selector" . }}
app.kubernetes.io/part-of: camera-analytics
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}
