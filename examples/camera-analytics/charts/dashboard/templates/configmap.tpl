apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "dashboard.name" . }}
  labels: {{- include "dashboard.labels" . | nindent 4 }}
data:
  index.html: |
    <!doctype html>
    <meta http-equiv="refresh" content="{{ .Values.refreshSeconds }}">
    <title>{{ .Values.title }}</title>
    <h1>{{ .Values.title }}</h1>
    <iframe src="site/site.txt"></iframe>
