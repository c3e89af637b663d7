{{/* Names are <release>-dashboard: several releases fit into one namespace. */}}
{{- define "dashboard.name" -}}
{{ printf "%s-dashboard" .Release.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "dashboard.selector" -}}
app.kubernetes.io/name: dashboard
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "dashboard.labels" -}}
{{ include "dashboard.selector" . }}
app.kubernetes.io/part-of: camera-analytics
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}
