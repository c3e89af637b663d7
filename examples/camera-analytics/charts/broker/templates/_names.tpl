{{/* Names are <release>-broker: several releases fit into one namespace. */}}
{{- define "broker.name" -}}
{{ printf "%s-broker" .Release.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "broker.selector" -}}
app.kubernetes.io/name: broker
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "broker.labels" -}}
{{ include "broker.selector" . }}
app.kubernetes.io/part-of: camera-analytics
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}
